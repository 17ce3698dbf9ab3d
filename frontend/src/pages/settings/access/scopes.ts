import type { Schema } from '../../../api/client'

export type Scope = Schema<'Scope'>

/** What each right allows; none implies another. */
export const SCOPES: readonly (readonly [Scope, string])[] = [
  ['read', 'Look at everything that the pages show'],
  ['build', 'Save strategies and run backtests'],
  ['decide', 'Stop and resume trading, approve orders, adopt positions'],
  ['admin', 'Change settings, make and revoke keys, set the password'],
]

export const LIFETIMES = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'a year' },
  { value: '', label: 'until it is revoked' },
]
