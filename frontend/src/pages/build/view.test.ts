import { expect, it } from 'vitest'
import { GRAPH, KINDS } from './blocks.testing'
import { withParameter } from './edit'
import { withPlaces } from './layout'
import { corridor, inReadingOrder, type ShownBlock, shownGraph } from './view'

const placed = withPlaces(GRAPH, KINDS)
const draw = (graph = placed, before = new Map<string, ShownBlock>()) =>
  shownGraph(graph, KINDS, { c: { kind: 'series', unit: 'px' } }, [], before, false)

it('shows leaves in the ports that they lead to', () => {
  const { blocks, edges } = draw()
  expect(blocks.map((block) => block.id).sort()).toEqual(['g', 'm', 'p', 'w'])
  expect(edges.map((edge) => `${edge.from} ${edge.to}`).sort()).toEqual(['g w', 'm g', 'w p'])
  const where = blocks.find((block) => block.id === 'w')
  expect(where?.shown.inputs.map((input) => input.folded)).toEqual([null, '1', '0'])
})

it('keeps the object of a block in which nothing has changed, so that it is not drawn again', () => {
  const before = new Map(draw().blocks.map((block) => [block.id, block]))
  const after = draw(withParameter(placed, 'm', 'w', 50), before).blocks
  for (const block of after) expect(block.shown === before.get(block.id)?.shown).toBe(block.id !== 'm')
})

it('says a fault at its block and its port', () => {
  const fault = {
    what: 'nothing is connected',
    hint: 'connect one',
    where: null,
    node: 'g',
    port: 'y',
    parameter: null,
    line: null,
    column: null,
  }
  const { blocks } = shownGraph(placed, KINDS, {}, [fault], new Map(), false)
  const block = blocks.find((each) => each.id === 'g')
  expect(block?.shown.faults).toEqual(['nothing is connected: connect one'])
  expect(block?.shown.inputs.map((input) => input.fault)).toEqual([null, 'nothing is connected: connect one'])
})

it('finds the row between two bands for an edge that leads back', () => {
  const box = (id: string, x: number, y: number) => ({ id, x, y, height: 60 }) as ShownBlock
  const blocks = [box('a', 0, 0), box('b', 600, 0), box('c', 0, 100)]
  expect(corridor(blocks, blocks[1], blocks[2])).toBe(80)
  expect(corridor(blocks, blocks[0], blocks[1])).toBeNull()
  const full = [...blocks, box('d', 300, 50)]
  expect(corridor(full, full[1], full[2])).toBeNull()
})

it('reads columns from left to right', () => {
  const ids = inReadingOrder(draw().blocks).map((block) => block.id)
  expect(ids.indexOf('m')).toBeLessThan(ids.indexOf('g'))
})
