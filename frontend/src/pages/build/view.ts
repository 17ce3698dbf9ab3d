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

interface ShownEdge {
  id: string
  from: string
  to: string
  port: string
  word: string
  /** It leads to the left, as from one band to the next. */
  isBack: boolean
  /** For such a one: a height at which no block stands, between its ends. */
  corridor: number | null
  /** Its number among those that take the same way. */
  lane: number
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
  const places = new Map(blocks.map((block) => [block.id, block]))
  const lanes = new Map<number | null, number>()
  const edges = graph.edges
    .filter((edge) => !folded.has(edge.from))
    .map((edge): ShownEdge => {
      const flow = flowOf(edge.from)
      const kind = flow?.kind ?? kinds.get(graph.nodes.find((node) => node.id === edge.from)?.op ?? '')?.result.kind
      const id = `${edge.from} → ${edge.to} ${edge.port}`
      const way = corridor(blocks, places.get(edge.from), places.get(edge.to))
      const lane = lanes.get(way) ?? 0
      lanes.set(way, lane + 1)
      return {
        id,
        from: edge.from,
        to: edge.to,
        port: edge.port,
        word: flowWord(flow ?? undefined),
        isBack: isBack(places.get(edge.from), places.get(edge.to)),
        corridor: way,
        lane,
        kind: kind ?? null,
      }
    })
  return { blocks, edges }
}

const isBack = (from: ShownBlock | undefined, to: ShownBlock | undefined) => !!from && !!to && to.x < from.x + WIDTH

/** The middle of the free row between two blocks that is nearest to the second; null where there is none. */
export function corridor(
  blocks: readonly ShownBlock[],
  from: ShownBlock | undefined,
  to: ShownBlock | undefined,
): number | null {
  if (!from || !to || !isBack(from, to)) return null
  const [low, high] = [Math.min(from.y, to.y), Math.max(from.y + from.height, to.y + to.height)]
  let covered = low
  let found: number | null = null
  const middle = to.y + to.height / 2
  for (const block of [...blocks].sort((one, other) => one.y - other.y)) {
    if (block.y > high) break
    if (block.y - covered >= 12) {
      const row = (covered + block.y) / 2
      if (found === null || Math.abs(row - middle) < Math.abs(found - middle)) found = row
    }
    covered = Math.max(covered, block.y + block.height)
  }
  return found
}

const leafWords = (block: Block): string =>
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
