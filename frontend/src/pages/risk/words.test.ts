import { expect, test } from 'vitest'
import { range, type Setting, shown } from '../settings/values'
import { budgetText, fact, facts, numbers } from './words'

test('a budget in words', () => {
  const row = {
    name: 'a',
    strategy: '',
    capital: '1',
    limit: '2',
    lost: '0.5',
    reserved: '0.25',
    free: '1',
    used: 0.4,
    active: true,
  }
  expect(budgetText(row, 'USD')).toBe('0.75 of 2.00 USD: 0.50 lost, 0.25 reserved')
  expect(budgetText({ ...row, lost: null }, 'USD')).toBe('of 2.00 USD; how much is used is not known')
})

test('numbers of a verdict', () => {
  expect(numbers({ agent_loss: '0E-12', most_by_leverage: '1.4186123456789', size: '-3' })).toBe(
    'agent loss 0 · most by leverage 1.41861 · size −3',
  )
})

test('facts of the audit, what somebody has written included', () => {
  expect(fact('TradingStopped')).toBe('Trading stopped')
  expect(fact('ApiKeyRevoked')).toBe('Api key revoked')
  expect(
    facts({ level: 'halt', why: '', runs: ['a', 'b'], notional: [{ amount: '1', currency: 'USD' }], name: '<b>x</b>' }),
  ).toBe('name <b>x</b> · level halt · runs a, b · notional 1 USD')
})

test('values with their units', () => {
  expect(shown('money', '2', 'USD')).toBe('2.00 USD')
  expect(shown('multiple', '2.50', '')).toBe('2.5×')
  expect(shown('multiple', '20', '')).toBe('20×')
  expect(shown('share', '0.0005', '')).toBe('0.05%')
  expect(shown('share', '0.2', '')).toBe('20.0%')
  expect(shown('seconds', '3600', '')).toBe('3,600 s')
  expect(shown('money', null, 'USD')).toBe('none')
  expect(range({ least: '0', most: '100', unit: 'multiple' } as Setting)).toBe('times, above 0 up to 100')
})

test('of a long list the first are named', () => {
  const which = Array.from({ length: 2_000 }, (_, row) => `a${row}`)
  expect(facts({ which })).toBe('which a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, 1,988 more')
  expect(facts({ which: which.slice(0, 12) })).toBe('which a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11')
})
