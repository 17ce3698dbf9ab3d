import { beforeEach, describe, expect, it } from 'vitest'
import { Fleet } from '../../live/fleet'
import type { AgentState, FleetFrame } from '../../live/frames'
import type { Facet } from './facets'
import { counts, fitting, Ranking, type Wish } from './ranking'

function frame(ids: string[], profit: number[], states: AgentState[] = ids.map(() => 'active')): FleetFrame {
  const zeros = ids.map(() => 0)
  return {
    topic: 'fleet',
    seq: 1,
    whole: true,
    sent_at: 0,
    run: 'r',
    ids,
    names: ids.map((id) => `grid-${id}`),
    markets: ids.map((_, at) => (at % 2 ? 'ETHUSDT' : 'BTCUSDT')),
    index: ids.map((_, at) => at),
    state: states,
    equity: zeros,
    profit,
    total: zeros,
    drawdown: zeros,
    exposure: zeros,
    risk: zeros,
    wealth: zeros,
  }
}

const wish: Wish = { query: '', state: null, by: 'profit', down: true }
let fleet: Fleet
let ranking: Ranking
const ids = () => ranking.rows.map((row) => fleet.ids[row])

beforeEach(() => {
  fleet = new Fleet()
  ranking = new Ranking()
  fleet.apply(frame(['a', 'b', 'c'], [1, 3, 2]))
  ranking.update(fleet, wish, 0, false)
})

describe('ranking', () => {
  it('ranks at once when asked for something else, and once a second otherwise', () => {
    expect(ids()).toEqual(['b', 'c', 'a'])
    fleet.profit[0] = 9
    ranking.update(fleet, wish, 999, false)
    expect(ids()).toEqual(['b', 'c', 'a'])
    ranking.update(fleet, wish, 1000, false)
    expect(ids()).toEqual(['a', 'b', 'c'])
    ranking.update(fleet, { ...wish, down: false }, 1001, false)
    expect(ids()).toEqual(['c', 'b', 'a'])
  })

  it('moves nothing under the pointer, but obeys who sorts', () => {
    fleet.profit[0] = 9
    ranking.update(fleet, wish, 60_000, true)
    expect(ids()).toEqual(['b', 'c', 'a'])
    ranking.update(fleet, { ...wish, by: 'name', down: false }, 60_001, true)
    expect(ids()).toEqual(['a', 'b', 'c'])
  })

  it('keeps agents where they are under the pointer when others come or the rows are others', () => {
    fleet.apply(frame(['d', 'c', 'b', 'a'], [100, 0, 0, 50]))
    ranking.update(fleet, wish, 1, true)
    expect(ids()).toEqual(['b', 'c', 'a', 'd'])
    fleet.apply(frame(['a', 'd'], [1, 2]))
    ranking.update(fleet, wish, 2, true)
    expect(ids()).toEqual(['a', 'd'])
  })
})

it('finds every word in name, strategy or market, and by state', () => {
  fleet.apply(frame(['a1', 'a2', 'b3'], [1, 2, 3], ['active', 'halted', 'halted']))
  const found = (query: string, state: Facet | null = null) => [...fitting(fleet, { query, state })]
  expect(found('a1')).toEqual([0])
  expect(found('grid btc')).toEqual([0, 2])
  expect(found('grid', 'halted')).toEqual([1, 2])
  expect(found('  ')).toEqual([0, 1, 2])
  expect(found('.*')).toEqual([])
  expect(counts(fleet)).toEqual({ active: 1, paused: 0, halted: 2, reducing: 0, fired: 0, released: 0 })
})

it('counts who is on the way to be paused, or from there, as paused', () => {
  fleet.apply(frame(['a', 'b', 'c', 'd'], [1, 2, 3, 4], ['pausing', 'paused', 'unpausing', 'active']))
  expect([...fitting(fleet, { query: '', state: 'paused' })]).toEqual([0, 1, 2])
  expect(counts(fleet)).toMatchObject({ active: 1, paused: 3 })
})
