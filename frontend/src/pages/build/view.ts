import { isFolded, sourceOf } from './edit'
import { flowWord } from './fits'
import { heightOf, WIDTH } from './layout'
import { type Block, type BlockKind, type Fault, type Flow, type Graph, type Kinds, type Port, placeOf } from './types'

/** An input of a block as it is drawn. */
export interface Input {
  port: Port
  /** What stands in the port itself: a number or an input of the market. */
  folded: string | null
  flow: Flow | null
  fault: string | null
}

/** What a block shows. The same object as long as nothing in it has changed, so that it is not drawn again. */
export interface Shown extends Record<string, unknown> {
  block: Block
  kind: BlockKind | null
  inputs: Input[]
  flow: Flow | null
  isTarget: boolean
  faults: string[]
  isLocked: boolean
}

export interface ShownBlock {
  id: string
  shown: Shown
  x: number
  y: number
  height: number
}

export interface ShownEdge {
  id: string
  from: string
  to: string
  port: string
  word: string
  /** It leads to the left, as from one band to the next. */
  isBack: boolean
  kind: Flow['kind'] | null
}

export const faultText = (fault: Fault): string => (fault.hint ? `${fault.what}: ${fault.hint}` : fault.what)

/** What of a graph is drawn: every block that is not folded into a port, and the edges between them. */
export function shownGraph(
  graph: Graph,
  kinds: Kinds,
  flows: Readonly<Record<string, Flow>>,
  faults: readonly Fault[],
  before: ReadonlyMap<string, ShownBlock>,
  isLocked: boolean,
): { blocks: ShownBlock[]; edges: ShownEdge[] } {
  const folded = new Set(graph.nodes.filter((node) => isFolded(graph, node, kinds)).map((node) => node.id))
  const flowOf = (id: string) => flows[id] ?? null
  const blocks = graph.nodes
    .filter((node) => !folded.has(node.id))
    .map((block): ShownBlock => {
      const kind = kinds.get(block.op) ?? null
      const own = faults.filter((fault) => fault.node === block.id)
      const inputs = (kind?.inputs ?? []).map((port): Input => {
        const source = sourceOf(graph, block.id, port.name)
        const fault = own.find((each) => each.port === port.name)
        const words = source && folded.has(source.id) ? leafWords(source) : null
        return { port, folded: words, flow: source ? flowOf(source.id) : null, fault: fault ? faultText(fault) : null }
      })
      const [x, y] = placeOf(graph, block.id) ?? [0, 0]
      const shown: Shown = {
        block,
        kind,
        inputs,
        flow: flowOf(block.id),
        isTarget: graph.target === block.id,
        faults: own.map(faultText),
        isLocked,
      }
      const old = before.get(block.id)
      const kept = old && JSON.stringify(old.shown) === JSON.stringify(shown) ? old.shown : shown
      return { id: block.id, shown: kept, x, y, height: heightOf(block, kinds) }
    })
  const edges = graph.edges
    .filter((edge) => !folded.has(edge.from))
    .map((edge): ShownEdge => {
      const flow = flowOf(edge.from)
      const kind = flow?.kind ?? kinds.get(graph.nodes.find((node) => node.id === edge.from)?.op ?? '')?.result.kind
      const id = `${edge.from} → ${edge.to} ${edge.port}`
      return {
        id,
        from: edge.from,
        to: edge.to,
        port: edge.port,
        word: flowWord(flow ?? undefined),
        kind: kind ?? null,
      }
    })
  return { blocks, edges }
}

export const leafWords = (block: Block): string =>
  block.op === 'const' ? String(block.parameters?.k ?? '').replace('-', '\u2212') : block.op

/** What a block is called: its label with its operator, else the operator alone. */
export const blockName = (block: Block): string => {
  const values = Object.values(block.parameters ?? {}).map((value) =>
    typeof value === 'string' ? `"${value}"` : value,
  )
  const call = values.length ? `${block.op}(${values.join(', ')})` : block.op
  return block.label ? `${block.label}: ${call}` : call
}

/** The blocks in the order in which they are read: by column, then by row. Tab goes through them in this order. */
export const inReadingOrder = (blocks: readonly ShownBlock[]): ShownBlock[] =>
  [...blocks].sort((one, other) =>
    Math.abs(one.x - other.x) > WIDTH / 2 ? one.x - other.x : one.y - other.y || one.id.localeCompare(other.id),
  )
