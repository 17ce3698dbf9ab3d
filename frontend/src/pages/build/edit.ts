import type { Block, BlockKind, Edge, ExitSet, Graph, Kinds, Place } from './types'

/** Edits of a graph: each gives a new one and leaves the old as it was. */

/** Where the input of a port comes from. */
export type Source =
  | { from: 'nothing' }
  | { from: 'number'; value: number }
  | { from: 'input'; op: string }
  | { from: 'block'; id: string }

/** A leaf that belongs into the port that it leads to: a constant, or an input of the market without parameters. */
export function isFoldable(block: Block, kind: BlockKind | undefined): boolean {
  if (block.label || !kind || kind.inputs.length > 0) return false
  return block.op === 'const' || (kind.group === 'inputs' && kind.parameters.length === 0)
}

/** Whether a block is shown in the ports that it leads to, and not as a block of its own. */
export function isFolded(graph: Graph, block: Block, kinds: Kinds): boolean {
  if (graph.layout?.[block.id] || block.id === graph.target || !isFoldable(block, kinds.get(block.op))) return false
  return graph.edges.some((edge) => edge.from === block.id)
}

function freshId(graph: Graph): string {
  const taken = new Set(graph.nodes.map((node) => node.id))
  let number = graph.nodes.length + 1
  while (taken.has(`n${number}`)) number += 1
  return `n${number}`
}

export function added(graph: Graph, kind: BlockKind, place: Place, kinds: Kinds): { graph: Graph; id: string } {
  const id = freshId(graph)
  const parameters = Object.fromEntries(kind.parameters.map((field) => [field.name, field.default]))
  const nodes = [...graph.nodes, kind.parameters.length ? { id, op: kind.op, parameters } : { id, op: kind.op }]
  const layout = { ...graph.layout, [id]: [...place] }
  return { graph: settled({ ...graph, nodes, layout }, kinds), id }
}

export function connected(graph: Graph, from: string, to: string, port: string, kinds: Kinds): Graph {
  const kept = graph.edges.filter((edge) => !(edge.to === to && edge.port === port))
  return settled({ ...graph, edges: [...kept, { from, to, port }] }, kinds)
}

export function disconnected(graph: Graph, edges: readonly Edge[], kinds: Kinds): Graph {
  const gone = new Set(edges.map((edge) => `${edge.to} ${edge.port}`))
  return settled({ ...graph, edges: graph.edges.filter((edge) => !gone.has(`${edge.to} ${edge.port}`)) }, kinds)
}

export function removed(graph: Graph, ids: ReadonlySet<string>, kinds: Kinds): Graph {
  const nodes = graph.nodes.filter((node) => !ids.has(node.id))
  const edges = graph.edges.filter((edge) => !ids.has(edge.from) && !ids.has(edge.to))
  const layout = Object.fromEntries(Object.entries(graph.layout ?? {}).filter(([id]) => !ids.has(id)))
  return settled({ ...graph, nodes, edges, layout }, kinds)
}

export function moved(graph: Graph, places: ReadonlyMap<string, Place>): Graph {
  const changed = [...places].filter(([id, [x, y]]) => {
    const before = graph.layout?.[id]
    return !before || before[0] !== x || before[1] !== y
  })
  if (!changed.length) return graph
  return { ...graph, layout: { ...graph.layout, ...Object.fromEntries(changed.map(([id, at]) => [id, [...at]])) } }
}

/** Show a folded leaf as a block, or fold it away. */
export function folded(graph: Graph, id: string, place: Place | null): Graph {
  const { [id]: _, ...rest } = graph.layout ?? {}
  return { ...graph, layout: place ? { ...rest, [id]: [...place] } : rest }
}

export function withBlock(graph: Graph, id: string, change: Partial<Block>): Graph {
  return { ...graph, nodes: graph.nodes.map((node) => (node.id === id ? { ...node, ...change } : node)) }
}

export function withParameter(graph: Graph, id: string, name: string, value: number | string): Graph {
  const block = graph.nodes.find((node) => node.id === id)
  return block ? withBlock(graph, id, { parameters: { ...block.parameters, [name]: value } }) : graph
}

export function withExit<Key extends keyof ExitSet>(graph: Graph, key: Key, value: ExitSet[Key] | undefined): Graph {
  const { [key]: _, ...rest } = graph.exits
  return { ...graph, exits: value === undefined || value === null ? rest : { ...graph.exits, [key]: value } }
}

export function sourceOf(graph: Graph, to: string, port: string): Block | undefined {
  const edge = graph.edges.find((each) => each.to === to && each.port === port)
  return edge && graph.nodes.find((node) => node.id === edge.from)
}

/** Let a port come from somewhere else; leaves that nobody uses any more go. */
export function withSource(graph: Graph, to: string, port: string, source: Source, kinds: Kinds): Graph {
  const before = sourceOf(graph, to, port)
  if (source.from === 'block') return connected(graph, source.id, to, port, kinds)
  if (source.from === 'nothing') return disconnected(graph, [{ from: before?.id ?? '', to, port }], kinds)
  if (source.from === 'number') {
    const own = before?.op === 'const' && isFolded(graph, before, kinds)
    if (before && own && graph.edges.filter((edge) => edge.from === before.id).length === 1)
      return withParameter(graph, before.id, 'k', source.value)
  }
  const op = source.from === 'number' ? 'const' : source.op
  const shared = graph.nodes.find((node) => node.op === op && op !== 'const' && !node.label)
  if (shared) return connected(graph, shared.id, to, port, kinds)
  const id = freshId(graph)
  const block = source.from === 'number' ? { id, op, parameters: { k: source.value } } : { id, op }
  return connected({ ...graph, nodes: [...graph.nodes, block] }, id, to, port, kinds)
}

/** The graph without folded leaves that lead nowhere, and with the one position that nothing uses for its target. */
export function settled(graph: Graph, kinds: Kinds): Graph {
  const used = new Set(graph.edges.map((edge) => edge.from))
  const nodes = graph.nodes.filter(
    (node) =>
      used.has(node.id) || graph.layout?.[node.id] || node.id === graph.target || !isFoldable(node, kinds.get(node.op)),
  )
  const there = nodes.length === graph.nodes.length ? graph : { ...graph, nodes }
  if (there.target && nodes.some((node) => node.id === there.target) && !used.has(there.target)) return there
  const ends = nodes.filter((node) => !used.has(node.id) && kinds.get(node.op)?.result.kind === 'position')
  const kept = there.target && nodes.some((node) => node.id === there.target) ? there.target : ''
  const target = ends.length === 1 ? (ends[0]?.id ?? '') : kept
  return target === (there.target ?? '') ? there : { ...there, target }
}

/** Everything that a block is made of, itself included. */
export function madeOf(graph: Graph, id: string): Set<string> {
  const found = new Set([id])
  const waiting = [id]
  while (waiting.length) {
    const at = waiting.pop()
    for (const edge of graph.edges)
      if (edge.to === at && !found.has(edge.from)) {
        found.add(edge.from)
        waiting.push(edge.from)
      }
  }
  return found
}
