import { expect, test } from 'vitest'
import { reasonAgainst } from './rights'
import type { Who } from './session'

const who = (scopes: Who['scopes'], role: Who['role']): Who => ({
  name: 'ana',
  kind: 'session',
  id: 's-1',
  scopes,
  owner: role === null,
  role,
  ends: null,
  has_password: false,
})

test('who has the right is told nothing, and who has it not is told why and what helps', () => {
  const viewer = who(['read'], 'viewer')
  expect(reasonAgainst(viewer, 'read')).toBeNull()
  expect(reasonAgainst(viewer, 'decide')).toMatch(/^Your role is viewer: you may not stop, .* another role\.$/)
  expect(reasonAgainst(who(['read', 'build'], 'builder'), 'build')).toBeNull()
  expect(reasonAgainst(who(['read', 'build', 'decide', 'admin'], null), 'admin')).toBeNull()
})

test('nothing is held against somebody who is not known yet', () => {
  expect(reasonAgainst(undefined, 'admin')).toBeNull()
})
