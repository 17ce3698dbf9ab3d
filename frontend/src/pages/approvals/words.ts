import type { Schema } from '../../api/client'
import { money, number, signedPercent, UNKNOWN } from '../../format'

export type Approval = Schema<'Approval'>

/** A shape and a word for each state: colour never stands alone. */
export const STATES: Record<Approval['state'], { glyph: string; word: string; tone: string }> = {
  waiting: { glyph: '◔', word: 'Waiting', tone: 'approval' },
  approved: { glyph: '✓', word: 'Approved', tone: 'good' },
  rejected: { glyph: '✕', word: 'Rejected', tone: 'bad' },
  expired: { glyph: '○', word: 'Expired', tone: 'off' },
  changed: { glyph: '⚠', word: 'Changed', tone: 'warn' },
  used: { glyph: '●', word: 'Sent', tone: 'good' },
  damaged: { glyph: '⚠', word: 'Damaged', tone: 'bad' },
}

/** "Buy 1.5 BTCUSDT". */
export const order = (each: Approval): string =>
  `${each.side === 'sell' ? 'Sell' : 'Buy'} ${each.size ?? UNKNOWN} ${each.symbol ?? ''}`.trim()

/** "59 min 12 s": what is left until something, to the second. */
export function left(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  if (hours) return `${hours} h ${String(minutes).padStart(2, '0')} min`
  if (minutes) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`
  return `${seconds} s`
}

/** How far the price has moved, and how far it may. */
export function drift(each: Approval): string {
  if (each.drift === null) return 'no price has been noted yet'
  const allowed = `±${number(Number(each.allowed_drift) * 100, 2)}%`
  return `${signedPercent(Number(each.drift), 2)} of ${allowed} allowed`
}

/** The share of the allowed drift that is used, for a gauge. */
export function driftShare(each: Approval): number | null {
  if (each.drift === null) return null
  const allowed = Number(each.allowed_drift)
  const moved = Math.abs(Number(each.drift))
  return allowed === 0 ? (moved === 0 ? 0 : 1) : moved / allowed
}

export const notional = (each: Approval): string =>
  each.notional.amount === null ? UNKNOWN : `${money(Number(each.notional.amount))} ${each.notional.currency}`

/** Who has decided, in words. */
export function deciders(each: Approval): string {
  const who = (decided: 'approved' | 'rejected') =>
    each.signers
      .filter((signer) => signer.decided === decided)
      .map((signer) => signer.name ?? 'a key that is trusted no more')
      .sort()
      .join(', ')
  const parts = [
    who('approved') && `approved by ${who('approved')}`,
    who('rejected') && `rejected by ${who('rejected')}`,
  ]
  return parts.filter(Boolean).join('; ') || 'nobody has decided'
}

/** The keys of this home that may decide on an order and have not said so yet. */
export const usableKeys = (each: Approval, keys: readonly Schema<'ApproverKey'>[]): string[] =>
  keys
    .filter((key) => key.private_key_here && key.trusted)
    .filter((key) => each.signers.some((signer) => signer.fingerprint === key.fingerprint && signer.decided === null))
    .map((key) => key.name)
