import { expect, test } from 'vitest'
import { type Approval, deciders, drift, driftShare, left, notional, order, usableKeys } from './words'

const approval = (changes: Partial<Approval>): Approval => ({
  id: '0123456789abcdef',
  state: 'waiting',
  text: '',
  account: 'main',
  venue: 'paper',
  agent: 'a001',
  symbol: 'BTCUSDT',
  side: 'sell',
  size: '1.5',
  order: [],
  notional: { amount: '1500', currency: 'USDT' },
  reasons: [],
  needed: 2,
  approved: 0,
  signers: [
    { name: 'alice', fingerprint: 'aa', decided: null, why: '' },
    { name: 'bob', fingerprint: 'bb', decided: 'approved', why: 'fine' },
    { name: null, fingerprint: 'cc', decided: null, why: '' },
  ],
  faults: [],
  requested_at: 0,
  expires_at: 0,
  reference: '1000',
  allowed_drift: '0.01',
  price: '995',
  price_at: 0,
  drift: '-0.005',
  drifted: false,
  may_approve: true,
  objection: null,
  ...changes,
})

test.each([
  [-5, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min 00 s'],
  [3_599_000, '59 min 59 s'],
  [3_600_000, '1 h 00 min'],
])('%i ms left', (milliseconds, text) => expect(left(milliseconds)).toBe(text))

test('an order in words', () => {
  expect(order(approval({}))).toBe('Sell 1.5 BTCUSDT')
  expect(notional(approval({}))).toBe('1,500.00 USDT')
  expect(notional(approval({ notional: { amount: null, currency: 'USDT' } }))).toBe('—')
  expect(deciders(approval({}))).toBe('approved by bob')
})

test('drift is signed, and half of what is allowed is half', () => {
  expect(drift(approval({}))).toBe('−0.50% of ±1.00% allowed')
  expect(driftShare(approval({}))).toBeCloseTo(0.5)
  expect(driftShare(approval({ drift: null }))).toBeNull()
  expect(driftShare(approval({ allowed_drift: '0', drift: '0.001' }))).toBe(1)
})

test('only keys that lie here, are trusted, are asked and have not decided can sign', () => {
  const key = { fingerprint: 'aa', trusted: true, private_key_here: true, name: 'alice' }
  const keys = [
    key,
    { ...key, name: 'bob', fingerprint: 'bb' },
    { ...key, name: 'mallory', fingerprint: 'dd' },
    { ...key, name: 'far', private_key_here: false },
    { ...key, name: 'untrusted', trusted: false },
  ]
  expect(usableKeys(approval({}), keys)).toEqual(['alice'])
})
