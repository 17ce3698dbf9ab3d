import { expect, it } from 'vitest'
import { GRAPH, KINDS } from './blocks.testing'
import { added, disconnected } from './edit'
import { flowWord, refusal } from './fits'
import type { BlockKind, Flow, Graph } from './types'

const FLOWS: Record<string, Flow> = {
  c: { kind: 'series', unit: 'px' },
  m: { kind: 'series', unit: 'px' },
  g: { kind: 'condition', unit: '' },
  one: { kind: 'series', unit: 'num' },
  zero: { kind: 'series', unit: 'num' },
  w: { kind: 'series', unit: 'num' },
  p: { kind: 'position', unit: '' },
}
const why = (from: string, to: string, port: string, graph: Graph = GRAPH) =>
  refusal(graph, FLOWS, KINDS, from, to, port)
const open = disconnected(GRAPH, [{ from: 'c', to: 'g', port: 'x' }], KINDS)
const volume = added(open, KINDS.get('volume') as BlockKind, [0, 0], KINDS)

it('lets through what fits', () => {
  expect(why('c', 'g', 'x', open)).toBeNull()
  expect(why('w', 'p', 'x')).toBeNull()
})

it('refuses another kind, and says what would make it fit', () => {
  expect(why('m', 'w', 'x')).toBe(
    'where needs a condition here, and ema gives a series: compare it with something first',
  )
  expect(why('g', 'p', 'x')).toContain('make numbers of it with where')
})

it('refuses a unit that is not that of the other port with the same letter', () => {
  expect(why(volume.id, 'g', 'x', volume.graph)).toBe('gt needs a price here, and volume gives a volume')
})

it('refuses a unit where a pure number is needed', () => {
  expect(why('m', 'p', 'x')).toBe(
    'long_only needs a pure number here, and ema gives a price: divide it by something of the same unit',
  )
})

it('lets zero through everywhere, and what is not known yet', () => {
  expect(why('zero', 'g', 'x', open)).toBeNull()
  expect(why('one', 'g', 'x', open)).toContain('gt needs a price')
  expect(refusal(open, {}, KINDS, 'm', 'g', 'x')).toBeNull()
})

it('refuses a circle and itself', () => {
  expect(why('g', 'm', 'x')).toContain('circle')
  expect(why('m', 'm', 'x')).toContain('circle')
})

it('says what a wire carries in a word', () => {
  expect([FLOWS.c, FLOWS.g, FLOWS.p, undefined].map(flowWord)).toEqual(['px', 'yes/no', 'position', ''])
})
