import { describe, expect, it } from 'vitest'
import {
  around,
  barMilliseconds,
  EMPTY,
  figure,
  marketOf,
  orderOf,
  rate,
  seconds,
  shade,
  shareOf,
  toggled,
} from './words'

describe('shares', () => {
  it('are percent moved by two digits, without a rounding', () => {
    expect(shareOf('0.07')).toBe('0.0007')
    expect(shareOf('5')).toBe('0.05')
    expect(shareOf('.5')).toBe('0.005')
    expect(shareOf('12.')).toBe('0.12')
    expect(shareOf('123.45')).toBe('1.2345')
    expect(shareOf('0.1')).toBe('0.001')
  })

  it('that are no numbers go as they are, for the server to refuse', () => {
    for (const typed of ['', 'a', '-1', '1,5', '1e3', '.']) expect(shareOf(typed)).toBe(typed)
  })

  it('are written with the digits that they have', () => {
    expect(rate('0.0005')).toBe('0.05%')
    expect(rate('0')).toBe('0%')
    expect(rate('0.001')).toBe('0.1%')
    expect(rate('x')).toBe('—')
  })
})

describe('an order', () => {
  it('leaves what is empty to the server', () => {
    expect(orderOf({ ...EMPTY, capital: '' }, { name: 'macd' })).toEqual({ name: 'macd', data: 'sample' })
  })

  it('has what was typed', () => {
    const draft = { ...EMPTY, universe: ['A'], bar: '1h', from: '2001-01-01', to: '2002', fee: '0.1', slippage: '0' }
    expect(orderOf(draft, { text: 't' })).toEqual({
      text: 't',
      data: 'sample',
      universe: ['A'],
      bar: '1h',
      from: '2001-01-01',
      to: '2002',
      capital: '10000',
      fee: '0.001',
      slippage: '0.00',
    })
  })
})

describe('what is compared', () => {
  it('is six at most, and goes again', () => {
    let chosen: readonly string[] = []
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) chosen = toggled(chosen, id)
    expect(chosen).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    expect(toggled(chosen, 'b')).toEqual(['a', 'c', 'd', 'e', 'f'])
  })
})

describe('figures', () => {
  it('are written by their unit, and a dash where there is none', () => {
    expect(figure('share', -0.12345)).toBe('\u221212.35%')
    expect(figure('ratio', 1.005)).toBe('1.01')
    expect(figure('count', 1234)).toBe('1,234')
    expect(figure('amount', 1234.5)).toBe('1,234.50')
    expect(figure('ratio', null)).toBe('—')
  })

  it('of months are shaded by their share of the largest', () => {
    expect([0.1, 0.076, -0.05, 0.001, 0.0001, null].map((value) => shade(value, 0.1))).toEqual([4, 4, 2, 1, 0, 0])
    expect(shade(0.1, 0)).toBe(0)
  })
})

describe('words', () => {
  it('say what was run on', () => {
    const run = { data: 'sample', universe: ['A', 'B', 'C', 'D', 'E'], bar: '1d', from: '2001', to: null }
    expect(marketOf(run)).toBe('sample: A, B, C and 2 more · 1d · from 2001')
    expect(marketOf({ ...run, universe: null, bar: null, from: null })).toBe('sample')
  })

  it('say how long it took', () => {
    expect([0.43, 59.9, 60, 125.4, null].map(seconds)).toEqual(['0.4 s', '59.9 s', '1 min 0 s', '2 min 5 s', '—'])
  })
})

describe('around a trade', () => {
  it('there is as much before it as after it, and sixty bars at least', () => {
    const day = barMilliseconds('1d')
    expect(around(100 * day, 110 * day, 900 * day, day)).toEqual([40 * day, 170 * day])
    expect(around(100 * day, 500 * day, 900 * day, day)).toEqual([-100 * day, 700 * day])
    expect(around(100 * day, null, 900 * day, day)).toEqual([-300 * day, 1300 * day])
    expect(barMilliseconds('15m')).toBe(900_000)
  })
})
