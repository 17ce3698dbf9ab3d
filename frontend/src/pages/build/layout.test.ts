import { describe, expect, it } from 'vitest'
import { GRAPH, KINDS } from './blocks.testing'
import { arranged, freePlace, heightOf, WIDTH, withPlaces } from './layout'
import type { Graph } from './types'

/** A chain of so many means, one after the other. */
const chain = (length: number): Graph => ({
  ...GRAPH,
  nodes: [
    { id: 'e0', op: 'ext', parameters: { name: 'vix' } },
    ...Array.from({ length }, (_, index) => ({ id: `e${index + 1}`, op: 'ema', parameters: { w: 2 } })),
    { id: 'p', op: 'long_only' },
  ],
  edges: Array.from({ length: length + 1 }, (_, index) => ({
    from: `e${index}`,
    to: index === length ? 'p' : `e${index + 1}`,
    port: 'x',
  })),
  target: 'p',
  layout: {},
})

const overlaps = (graph: Graph): string[] => {
  const placed = withPlaces(graph, KINDS)
  const boxes = placed.nodes.flatMap((node) => {
    const [x, y] = placed.layout?.[node.id] ?? []
    return x === undefined || y === undefined ? [] : [{ id: node.id, x, y, height: heightOf(node, KINDS) }]
  })
  return boxes.flatMap((one, index) =>
    boxes
      .slice(index + 1)
      .filter(
        (other) => Math.abs(one.x - other.x) < WIDTH && one.y < other.y + other.height && other.y < one.y + one.height,
      )
      .map((other) => `${one.id} ${other.id}`),
  )
}

describe('arranging', () => {
  it('puts every block that is shown to the right of what it uses, and leaves in the ports', () => {
    const places = arranged(GRAPH, KINDS)
    expect([...places.keys()].sort()).toEqual(['g', 'm', 'p', 'w'])
    const x = (id: string) => places.get(id)?.[0] ?? Number.NaN
    expect(x('m')).toBeLessThan(x('g'))
    expect(x('g')).toBeLessThan(x('w'))
  })

  it('goes on below after five columns at most', () => {
    const places = [...arranged(chain(20), KINDS).values()]
    expect(new Set(places.map(([x]) => x)).size).toBeLessThanOrEqual(5)
    expect(new Set(places.map(([, y]) => y)).size).toBeGreaterThan(3)
  })

  it('never puts one block on another', () => {
    for (const length of [1, 4, 5, 6, 11, 30]) expect(overlaps(chain(length))).toEqual([])
    expect(overlaps(GRAPH)).toEqual([])
  })

  it('is the same every time and survives a circle', () => {
    expect(arranged(GRAPH, KINDS)).toEqual(arranged(GRAPH, KINDS))
    const circle = { ...GRAPH, edges: [...GRAPH.edges, { from: 'w', to: 'm', port: 'x' }] }
    expect(arranged(circle, KINDS).size).toBe(4)
  })
})

describe('keeping places', () => {
  it('leaves every place that there is, and puts what is new beside what uses it', () => {
    const placed = withPlaces(GRAPH, KINDS)
    expect(withPlaces(placed, KINDS)).toBe(placed)
    const more: Graph = {
      ...placed,
      nodes: [...placed.nodes, { id: 'new', op: 'ema', parameters: { w: 3 } }],
      edges: [...placed.edges, { from: 'new', to: 'm', port: 'x' }],
    }
    const after = withPlaces(more, KINDS)
    for (const [id, place] of Object.entries(placed.layout ?? {})) expect(after.layout?.[id]).toEqual(place)
    expect(after.layout?.new?.[0]).toBeLessThan(after.layout?.m?.[0] ?? 0)
    expect(overlaps(after)).toEqual([])
  })

  it('finds a free place below what stands there', () => {
    expect(freePlace({ a: [0, 0] }, [500, 0])).toEqual([500, 0])
    expect(freePlace({ a: [0, 0], b: [0, 110] }, [0, 0])[1]).toBeGreaterThan(190)
  })
})
