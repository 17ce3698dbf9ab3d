import { expect, it } from 'vitest'
import { decimalsOf, exact, price } from './amount'

it('booked amounts keep every digit', () => {
  expect(exact('1234567.10200')).toBe('1,234,567.10200')
  expect(exact('-0.00005')).toBe('−0.00005')
  expect(exact('999')).toBe('999')
  expect(exact('-1234')).toBe('−1,234')
  expect(exact(null)).toBe('—')
  expect(exact('1e9')).toBe('1e9')
  expect(exact('123456789012345678901.1')).toBe('123,456,789,012,345,678,901.1')
})

it('prices keep what says something', () => {
  expect(price('5144.670181719619')).toBe('5,144.6702')
  expect(price('5144.5')).toBe('5,144.5')
  expect(price('0.000012345678')).toBe('0.0000123')
  expect(price(undefined)).toBe('—')
  expect(decimalsOf([64210.5])).toBe(2)
  expect(decimalsOf([0.0001])).toBe(8)
})
