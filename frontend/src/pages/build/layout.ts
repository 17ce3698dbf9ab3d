import { isFolded } from './edit'
import type { Block, Graph, Kinds, Place } from './types'

export const WIDTH = 156
const GAP_X = 54
const GAP_Y = 18
const BAND = 40
/** A single row of many columns could be read at no zoom: after so many it goes on below. */
const COLUMNS = [5, 4, 3]
/** The part of the page that a graph is fitted into on a desktop. */
const SIGHT = { width: 660, height: 600 }

/** The height of a block as it is drawn: its head, a line for each port and parameter, its label. */
export function heightOf(block: Block, kinds: Kinds): number {
  const kind = kinds.get(block.op)
  const lines = (kind?.inputs.length ?? 0) + (kind?.parameters.length ?? 0)
  return 32 + 20 * lines
}

/** Positions for every block that is shown: from left to right in bands, as many columns in each as read best. */
export function arranged(graph: Graph, kinds: Kinds): Map<string, Place> {
  const shown = graph.nodes.filter((node) => !isFolded(graph, node, kinds))
  const columns = byColumn(graph, shown)
  const found = COLUMNS.map((most) => inBands(graph, columns, most, kinds))
  return found.reduce((best, each) => (each.zoom > best.zoom * 1.05 ? each : best)).places
}

/** Bands of so many columns, and the zoom at which all of them are in sight. */
function inBands(graph: Graph, columns: readonly Block[][], most: number, kinds: Kinds) {
  const places = new Map<string, Place>()
  let top = 0
  for (let first = 0; first < columns.length; first += most) {
    const band = columns.slice(first, first + most)
    const tall = Math.max(...band.map((column) => stacked(column, kinds)))
    band.forEach((column, index) => {
      const ordered = first + index === 0 ? column : byNeighbours(graph, column, places)
      let y = top + (tall - stacked(column, kinds)) / 2
      for (const block of ordered) {
        places.set(block.id, [index * (WIDTH + GAP_X), Math.round(y / 2) * 2])
        y += heightOf(block, kinds) + GAP_Y
      }
    })
    top += tall + BAND
  }
  const width = Math.min(most, columns.length) * (WIDTH + GAP_X)
  return { places, zoom: Math.min(1, SIGHT.width / Math.max(1, width), SIGHT.height / Math.max(1, top)) }
}

const stacked = (column: readonly Block[], kinds: Kinds) =>
  column.reduce((sum, block) => sum + heightOf(block, kinds) + GAP_Y, -GAP_Y)

/** Blocks by their distance from the end, the farthest first, so that what is used together stands together. */
function byColumn(graph: Graph, shown: readonly Block[]): Block[][] {
  const users = new Map<string, string[]>(shown.map((block) => [block.id, []]))
  for (const edge of graph.edges) if (users.has(edge.to)) users.get(edge.from)?.push(edge.to)
  const depth = new Map<string, number>()
  const measure = (id: string, path: ReadonlySet<string>): number => {
    const known = depth.get(id)
    if (known !== undefined) return known
    if (path.has(id)) return 0
    const within = new Set(path).add(id)
    const found = Math.max(-1, ...(users.get(id) ?? []).map((user) => measure(user, within))) + 1
    depth.set(id, found)
    return found
  }
  for (const block of shown) measure(block.id, new Set())
  const deepest = Math.max(0, ...depth.values())
  const columns: Block[][] = Array.from({ length: shown.length ? deepest + 1 : 0 }, () => [])
  for (const block of shown) columns[deepest - (depth.get(block.id) ?? 0)]?.push(block)
  return columns.filter((column) => column.length)
}

/** A column in the order of what its blocks use, so that fewer edges cross. */
function byNeighbours(graph: Graph, column: readonly Block[], places: ReadonlyMap<string, Place>): Block[] {
  const middle = (block: Block) => {
    const ys = graph.edges.filter((edge) => edge.to === block.id).flatMap((edge) => places.get(edge.from)?.[1] ?? [])
    return ys.length ? ys.reduce((sum, y) => sum + y, 0) / ys.length : Number.POSITIVE_INFINITY
  }
  return column
    .map((block, index) => ({ block, index, at: middle(block) }))
    .sort((one, other) => (one.at === other.at ? one.index - other.index : one.at - other.at))
    .map((each) => each.block)
}

/** The graph with a position for every block that is shown: those that have one keep it. */
export function withPlaces(graph: Graph, kinds: Kinds): Graph {
  const shown = graph.nodes.filter((node) => !isFolded(graph, node, kinds))
  const missing = shown.filter((node) => !graph.layout?.[node.id])
  if (!missing.length) return graph
  if (missing.length === shown.length)
    return { ...graph, layout: Object.fromEntries([...arranged(graph, kinds)].map(([id, at]) => [id, [...at]])) }
  const layout: Record<string, number[]> = { ...graph.layout }
  for (const block of missing) layout[block.id] = beside(graph, block, layout, kinds)
  return { ...graph, layout }
}

/** A free place to the left of what uses a block, or to the right of what it uses. */
function beside(graph: Graph, block: Block, layout: Readonly<Record<string, number[]>>, kinds: Kinds): Place {
  const user = graph.edges.find((edge) => edge.from === block.id && layout[edge.to])
  const source = graph.edges.find((edge) => edge.to === block.id && layout[edge.from])
  const near = (user && layout[user.to]) ?? (source && layout[source.from])
  const step = user ? -(WIDTH + GAP_X) : source ? WIDTH + GAP_X : 0
  return freePlace(layout, [(near?.[0] ?? 0) + step, near?.[1] ?? 0], heightOf(block, kinds))
}

/** The first place at or below a wish where nothing else stands. */
export function freePlace(layout: Readonly<Record<string, number[]>>, wish: Place, height = 90): Place {
  let [x, y] = wish
  const others = Object.values(layout)
  for (let tries = 0; tries < 200; tries += 1) {
    const hit = others.find(
      ([ox = 0, oy = 0]) => Math.abs(ox - x) < WIDTH + 8 && oy < y + height + 8 && y < oy + height + 8,
    )
    if (!hit) break
    y = (hit[1] ?? 0) + height + GAP_Y
  }
  return [x, y]
}
