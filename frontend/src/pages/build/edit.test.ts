import { describe, expect, it } from 'vitest'
import { GRAPH, KINDS } from './blocks.testing'
import {
  added,
  connected,
  disconnected,
  folded,
  isFolded,
  madeOf,
  moved,
  removed,
  settled,
  sourceOf,
  withExit,
  withParameter,
  withSource,
} from './edit'
import type { BlockKind, Graph } from './types'

const kind = (op: string): BlockKind => {
  const found = KINDS.get(op)
  if (!found) throw new Error(op)
  return found
}
const ops = (graph: Graph) => graph.nodes.map((node) => node.op).sort()

describe('adding and taking out', () => {
  it('adds a block with its defaults at its place, under an id that is free', () => {
    const { graph, id } = added(
      { ...GRAPH, nodes: [...GRAPH.nodes, { id: 'n9', op: 'close' }] },
      kind('ema'),
      [3, 4],
      KINDS,
    )
    expect(graph.nodes.at(-1)).toEqual({ id, op: 'ema', parameters: { w: 20 } })
    expect(GRAPH.nodes.some((node) => node.id === id)).toBe(false)
    expect(graph.layout?.[id]).toEqual([3, 4])
  })

  it('leaves the old graph as it was', () => {
    const before = JSON.stringify(GRAPH)
    added(GRAPH, kind('ema'), [0, 0], KINDS)
    removed(GRAPH, new Set(['m']), KINDS)
    connected(GRAPH, 'g', 'w', 'x', KINDS)
    expect(JSON.stringify(GRAPH)).toBe(before)
  })

  it('takes out blocks with their edges, their places and the leaves that only they used', () => {
    const placed = moved(GRAPH, new Map([['w', [1, 2]]]))
    const graph = removed(placed, new Set(['w']), KINDS)
    expect(ops(graph)).toEqual(['close', 'ema', 'gt', 'long_only'])
    expect(graph.edges).toHaveLength(3)
    expect(graph.layout).toEqual({})
  })
})

describe('the target', () => {
  it('is the one position that leads nowhere', () => {
    const gate = added(GRAPH, kind('gate'), [0, 0], KINDS)
    expect(gate.graph.target).toBe('p')
    const led = connected(gate.graph, 'p', gate.id, 'x', KINDS)
    expect(led.target).toBe(gate.id)
    expect(removed(led, new Set([gate.id]), KINDS).target).toBe('p')
  })

  it('is none when it was taken out and two could be it', () => {
    const one = added({ ...GRAPH, target: '' }, kind('long_only'), [0, 0], KINDS).graph
    expect(settled({ ...one, target: 'gone' }, KINDS).target).toBe('')
  })
})

describe('edges', () => {
  it('replaces what led to the port', () => {
    const graph = connected(GRAPH, 'm', 'g', 'x', KINDS)
    expect(graph.edges.filter((edge) => edge.to === 'g' && edge.port === 'x')).toEqual([
      { from: 'm', to: 'g', port: 'x' },
    ])
  })

  it('cuts one and leaves the block that it came from', () => {
    const graph = disconnected(GRAPH, [{ from: 'm', to: 'g', port: 'y' }], KINDS)
    expect(graph.nodes).toHaveLength(GRAPH.nodes.length)
    expect(graph.edges).toHaveLength(GRAPH.edges.length - 1)
  })
})

describe('leaves in the ports', () => {
  it('are constants and plain inputs without a place or a name', () => {
    const is = (id: string, graph = GRAPH) =>
      isFolded(graph, graph.nodes.find((node) => node.id === id) ?? { id, op: '' }, KINDS)
    expect(['c', 'one', 'zero'].every((id) => is(id))).toBe(true)
    expect(['m', 'p', 'g'].some((id) => is(id))).toBe(false)
    expect(is('c', folded(GRAPH, 'c', [0, 0]))).toBe(false)
    expect(is('one', { ...GRAPH, nodes: GRAPH.nodes.map((node) => ({ ...node, label: 'half' })) })).toBe(false)
  })

  it('changes the number of a port that has one, and makes one where there was none', () => {
    const changed = withSource(GRAPH, 'w', 'y', { from: 'number', value: 0.5 }, KINDS)
    expect(sourceOf(changed, 'w', 'y')).toEqual({ id: 'one', op: 'const', parameters: { k: 0.5 } })
    const made = withSource(GRAPH, 'w', 'x', { from: 'number', value: 3 }, KINDS)
    expect(sourceOf(made, 'w', 'x')?.parameters).toEqual({ k: 3 })
  })

  it('does not change a number that another port uses too', () => {
    const shared = connected(GRAPH, 'one', 'w', 'z', KINDS)
    const changed = withSource(shared, 'w', 'y', { from: 'number', value: 5 }, KINDS)
    expect(sourceOf(changed, 'w', 'z')?.parameters).toEqual({ k: 1 })
    expect(sourceOf(changed, 'w', 'y')?.parameters).toEqual({ k: 5 })
  })

  it('takes an input of the market that is there, and lets go what nobody uses', () => {
    const graph = withSource(GRAPH, 'w', 'y', { from: 'input', op: 'close' }, KINDS)
    expect(sourceOf(graph, 'w', 'y')?.id).toBe('c')
    expect(graph.nodes.some((node) => node.id === 'one')).toBe(false)
    const none = withSource(graph, 'w', 'z', { from: 'nothing' }, KINDS)
    expect(none.nodes.some((node) => node.id === 'zero')).toBe(false)
  })
})

describe('values', () => {
  it('sets one parameter and leaves the others', () => {
    const graph = withParameter(GRAPH, 'm', 'w', 50)
    expect(graph.nodes.find((node) => node.id === 'm')?.parameters).toEqual({ w: 50 })
    expect(withParameter(GRAPH, 'gone', 'w', 50)).toBe(GRAPH)
  })

  it('switches an exit on and off', () => {
    const on = withExit(GRAPH, 'time', 9)
    expect(on.exits).toEqual({ stop: { percent: 10 }, time: 9 })
    expect(withExit(on, 'time', undefined).exits).toEqual(GRAPH.exits)
  })

  it('is the same graph when nothing has moved', () => {
    const placed = moved(GRAPH, new Map([['p', [5, 6]]]))
    expect(moved(placed, new Map([['p', [5, 6]]]))).toBe(placed)
  })
})

it('knows everything that a block is made of, on a circle as well', () => {
  expect([...madeOf(GRAPH, 'g')].sort()).toEqual(['c', 'g', 'm'])
  const circle = connected(GRAPH, 'g', 'm', 'x', KINDS)
  expect([...madeOf(circle, 'g')].sort()).toEqual(['c', 'g', 'm'])
})
