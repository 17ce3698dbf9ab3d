import type { Schema } from '../api/client'
import { useSession, type Who } from './session'

export type Scope = Schema<'Scope'>

const DEEDS: Record<Scope, string> = {
  read: 'look at this',
  build: 'save strategies or run backtests',
  decide: 'stop, resume, pause, approve, adopt or deploy',
  admin: 'change settings, keys or people',
}

/** Why somebody may not do what a right is for; null where he may. The server refuses in any case. */
export function reasonAgainst(who: Who | undefined, right: Scope): string | null {
  // Where the server does not answer nobody knows; it says so itself when it does.
  if (!who || who.scopes.includes(right)) return null
  const standing = who.role ? `Your role is ${who.role}: you` : 'You'
  return `${standing} may not ${DEEDS[right]}. The owner, or an admin, can give you another role.`
}

/** Why who is signed in here may not do what a right is for; null where he may. */
export function useReasonAgainst(right: Scope): string | null {
  return reasonAgainst(useSession().data, right)
}
