import { describe, expect, test } from 'vitest'
import type { Schema } from '../api/client'
import { consequences, deed, LATE, mayGo, type StopLevel, verdict, wishName, worth } from './words'

const level = (changes: Partial<StopLevel>): StopLevel => ({
  level: 'flatten',
  word: 'FLATTEN',
  agents: 2,
  cancelled: 1,
  closed: 3,
  kept: 0,
  notional: [{ amount: '1234.5', currency: 'USD' }],
  ...changes,
})

const answers = (changes: Partial<Schema<'OrderAnswers'>>): Schema<'OrderAnswers'> => ({
  order: { number: 1, ordered: 'flatten', by: 'ann', why: '', at: 1, text: '' },
  holds: true,
  done: false,
  flat: false,
  runs: [{ run: 'r', state: 'waiting', text: null, at: null, positions: 3 }],
  unattended: [],
  text: '',
  ...changes,
})

describe('what a level would do', () => {
  test('names counts, notional and currency', () => {
    expect(consequences(level({}))).toEqual([
      '2 agents may enter nothing any more.',
      '1 entry that waits is cancelled.',
      '3 positions worth 1,234.50 USD are closed at the market; exits stay until then.',
      'It stays halted until somebody types RESUME.',
    ])
  })

  test('a level that closes nothing says that positions stay', () => {
    const halt = consequences(level({ level: 'halt', closed: 0, kept: 1, agents: 1, cancelled: 0 }))
    expect(halt[0]).toBe('1 agent may enter nothing any more.')
    expect(halt[2]).toBe('1 position worth 1,234.50 USD stays open, with its exits.')
    expect(halt.join(' ')).not.toContain('closed')
  })

  test('unlike currencies stand beside each other, and what is unknown is no zero', () => {
    const notional = [
      { amount: '10', currency: 'USD' },
      { amount: null, currency: 'BTC' },
    ]
    expect(worth(level({ notional }))).toBe('10.00 USD + —')
    expect(worth(level({ notional: [] }))).toBe('—')
  })

  test('the button says the deed', () => {
    expect(deed(level({}))).toBe('Close 3 positions')
    expect(deed(level({ closed: 0 }))).toBe('Flatten')
    expect(deed(level({ level: 'halt' }))).toBe('Halt 2 agents')
  })

  test.each(['', 'flatten', 'FLATTE', 'FLATTEN ', ' FLATTEN', 'HALT'])('%j lets nothing be pressed', (typed) => {
    expect(mayGo(level({}), typed)).toBe(false)
  })

  test('the word lets it be pressed; the first level asks for none', () => {
    expect(mayGo(level({}), 'FLATTEN')).toBe(true)
    expect(mayGo(level({ level: 'stop_entries', word: null }), '')).toBe(true)
  })

  test('wishes have names of their own', () => {
    const names = new Set(Array.from({ length: 100 }, wishName))
    expect(names.size).toBe(100)
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{32}$/)
  })
})

describe('where an order stands', () => {
  const done = { state: 'done' as const, text: '', at: 1, positions: 0, run: 'r' }

  test('nothing is flat before the venue has said so', () => {
    expect(verdict(answers({}), 0)).toEqual({ tone: 'wait', title: 'Closing: not flat yet' })
    expect(verdict(answers({}), LATE)).toEqual({ tone: 'bad', title: 'STILL NOT FLAT' })
    expect(verdict(answers({ done: true, flat: true, runs: [done] }), 0).title).toBe('Flat, verified with the venue')
  })

  test('what no order reaches keeps all from being flat', () => {
    const left = { run: 'a', kind: 'account' as const, positions: 1, orders: 0, text: '' }
    const found = verdict(answers({ done: true, flat: false, runs: [done], unattended: [left] }), 0)
    expect(found).toEqual({ tone: 'bad', title: 'Flat where somebody is at work, NOT FLAT elsewhere' })
  })

  test('a run that ended is said loudly', () => {
    const ended = answers({ runs: [{ ...done, state: 'ended' }] })
    expect(verdict(ended, 0)).toEqual({ tone: 'bad', title: 'NOT VERIFIED FLAT: a run ended before it was done' })
  })

  test('without a run nothing is claimed', () => {
    expect(verdict(answers({ done: true, runs: [] }), 0).tone).toBe('bad')
    const halt = { ...answers({}).order, ordered: 'halt' as const }
    expect(verdict(answers({ done: true, runs: [], order: halt }), 0).tone).toBe('good')
  })

  test('what another order has taken the place of is no success', () => {
    expect(verdict(answers({ holds: false, done: true, flat: true, runs: [done] }), 0).tone).toBe('bad')
  })
})
