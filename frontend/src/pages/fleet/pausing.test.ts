import { expect, it } from 'vitest'
import { Fleet } from '../../live/fleet'
import type { AgentState } from '../../live/frames'
import { consequencesOf, deed, inWords } from './pausing'

function fleetOf(agents: Record<string, [AgentState, number | null]>): Fleet {
  const ids = Object.keys(agents)
  const zeros = ids.map(() => 0)
  const fleet = new Fleet()
  fleet.apply({
    topic: 'fleet',
    seq: 1,
    whole: true,
    sent_at: 0,
    run: 'r',
    ids,
    names: ids,
    markets: ids,
    index: ids.map((_, at) => at),
    state: Object.values(agents).map(([state]) => state),
    equity: zeros,
    profit: zeros,
    total: zeros,
    drawdown: zeros,
    exposure: Object.values(agents).map(([, exposure]) => exposure),
    risk: zeros,
    wealth: zeros,
  })
  return fleet
}

const FLEET = fleetOf({
  a: ['active', 1000.5],
  b: ['halted', 0],
  c: ['paused', 500],
  d: ['pausing', 0],
  e: ['unpausing', 2000],
  f: ['fired', 70],
  g: ['released', 0],
  h: ['reducing', null],
})
const ALL = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'gone']

it('pauses whoever is not paused and has a slot, and counts what these hold and no other', () => {
  const found = consequencesOf(FLEET, ALL, true)
  expect(found).toEqual({
    concerned: ['a', 'b', 'e', 'h'],
    already: 2,
    over: 2,
    holding: 2,
    notional: 3000.5,
    unknown: 1,
  })
  expect(deed(found.concerned, true)).toBe('Pause 4 agents')
  expect(inWords(found, true, 'USD')).toEqual([
    '4 agents enter nothing any more, until somebody unpauses them.',
    'Their entries that wait are cancelled.',
    '2 of them hold positions, worth 3,000.50 USD: these stay open, and their exits live on.',
    'What 1 agent holds is not known: a price is missing.',
    '2 agents are paused already.',
    '2 agents were fired or released: nothing is left to pause.',
  ])
})

it('unpauses whoever is paused or on the way to it', () => {
  const found = consequencesOf(FLEET, ALL, false)
  expect(found).toMatchObject({ concerned: ['c', 'd'], already: 4, over: 2 })
  expect(deed(found.concerned, false)).toBe('Unpause 2 agents')
  expect(inWords(found, false, 'USD').slice(0, 2)).toEqual([
    '2 agents decide anew, and may enter what is still wanted at once, within the limits.',
    'What stops all of them, such as a halt, goes on stopping them.',
  ])
})

it('speaks of one agent as of one', () => {
  const found = consequencesOf(FLEET, ['a'], true)
  expect(deed(found.concerned, true)).toBe('Pause a')
  expect(inWords(found, true, 'USD')).toEqual([
    'It enters nothing any more, until somebody unpauses it.',
    'Its entries that wait are cancelled.',
    'What it holds, worth 1,000.50 USD, stays open; its exits live on.',
  ])
  expect(inWords(consequencesOf(FLEET, ['b'], true), true, 'USD')).toContain('It holds nothing.')
})

it('does not say that nothing is held where that is not known', () => {
  expect(inWords(consequencesOf(FLEET, ['h'], true), true, 'USD')).toEqual([
    'It enters nothing any more, until somebody unpauses it.',
    'Its entries that wait are cancelled.',
    'What 1 agent holds is not known: a price is missing.',
  ])
})

it('says of agents of whom it is all true already that nothing is to do', () => {
  const found = consequencesOf(FLEET, ['c', 'd', 'g'], true)
  expect(found.concerned).toEqual([])
  expect(inWords(found, true, 'USD')).toEqual([
    '2 agents are paused already.',
    '1 agent was fired or released: nothing is left to pause.',
  ])
})
