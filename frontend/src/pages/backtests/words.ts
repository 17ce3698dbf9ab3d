import { count, money, number, percent, UNKNOWN, utc } from '../../format'
import type { Comparison, Order, State, Summary } from './queries'

/** A mark and a word for each state: colour is never all that tells them apart. */
export const STATES: Record<State, { mark: string; word: string; tone: '' | 'warn' | 'muted' }> = {
  waiting: { mark: '◷', word: 'Waiting', tone: 'muted' },
  running: { mark: '▶', word: 'Running', tone: '' },
  done: { mark: '✓', word: 'Done', tone: '' },
  failed: { mark: '⚠', word: 'Failed', tone: 'warn' },
  cancelled: { mark: '■', word: 'Called off', tone: 'muted' },
  interrupted: { mark: '⚠', word: 'Interrupted', tone: 'warn' },
}

/** How many may be compared. */
export const MOST_COMPARED = 6

/** A share that is a rate, with the digits that it has: 0.0005 is 0.05%. */
export function rate(share: string): string {
  const value = Number(share) * 100
  return Number.isFinite(value) ? `${Number.parseFloat(value.toFixed(6))}%` : UNKNOWN
}

/** What was run on: "sample: NASDAQ, SP500 · 1d · from 2001-01-01". */
export function marketOf(run: Pick<Summary, 'data' | 'universe' | 'bar' | 'from' | 'to'>): string {
  const named = run.universe ?? []
  const some = named.length > 3 ? `${named.slice(0, 3).join(', ')} and ${named.length - 3} more` : named.join(', ')
  return [some ? `${run.data}: ${some}` : run.data, run.bar, run.from && `from ${run.from}`, run.to && `to ${run.to}`]
    .filter(Boolean)
    .join(' · ')
}

/** "0.4 s" and "2 min 5 s"; what is not known is a dash. */
export function seconds(value: number | null): string {
  if (value === null) return UNKNOWN
  if (value < 60) return `${number(value, 1)} s`
  const whole = Math.round(value)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

export function figure(unit: Comparison['figures'][number]['unit'], value: number | null | undefined): string {
  if (unit === 'share') return percent(value, 2)
  if (unit === 'count') return count(value)
  return unit === 'amount' ? money(value) : number(value)
}

/** What a form holds; amounts and shares as they were typed. */
export interface Draft {
  data: 'sample' | 'catalog'
  universe: string[]
  bar: string | null
  from: string
  to: string
  capital: string
  /** Percent. */
  fee: string
  /** Percent. */
  slippage: string
}

export const EMPTY: Draft = {
  data: 'sample',
  universe: [],
  bar: null,
  from: '',
  to: '',
  capital: '10000',
  fee: '',
  slippage: '',
}

/** What is to be sent for a draft: what is empty is left to the server's defaults. */
export function orderOf(draft: Draft, strategy: { text: string } | { name: string }): Order {
  return {
    ...strategy,
    data: draft.data,
    ...(draft.universe.length > 0 ? { universe: draft.universe } : {}),
    ...(draft.bar ? { bar: draft.bar } : {}),
    ...(draft.from ? { from: draft.from } : {}),
    ...(draft.to ? { to: draft.to } : {}),
    ...(draft.capital ? { capital: draft.capital } : {}),
    ...(draft.fee ? { fee: shareOf(draft.fee) } : {}),
    ...(draft.slippage ? { slippage: shareOf(draft.slippage) } : {}),
  }
}

/** A percent, as it is typed, as a share in decimal text; what is no number goes as it is, for the server to refuse. */
export function shareOf(typed: string): string {
  const match = /^(\d*)(?:\.(\d*))?$/.exec(typed.trim())
  if (!match || typed.trim() === '' || typed.trim() === '.') return typed
  const whole = (match[1] ?? '').padStart(3, '0')
  const text = `${whole.slice(0, -2)}.${whole.slice(-2)}${match[2] ?? ''}`
  return text.replace(/^0+(?=\d)/, '')
}

/** A return in percent without its sign of percent: a table of them says that once. */
export const month = (value: number | null): string => (value === null ? '' : percent(value, 1).replace('%', ''))

/** From 0 to 4: how deep the shade of a month's return is, against the largest. */
export function shade(value: number | null, largest: number): number {
  if (value === null || largest <= 0 || Math.abs(value) < 0.0005) return 0
  return Math.min(4, Math.ceil((4 * Math.abs(value)) / largest))
}

/** The stretch of time that is shown around a trade: as much again on both sides, sixty bars at least. */
export function around(opened: number, closed: number | null, last: number, bar: number): [number, number] {
  const end = closed ?? last
  const beside = Math.max(60 * bar, (end - opened) / 2)
  return [opened - beside, end + beside]
}

/** "2001-03-04 to 2018-12-31". */
export const span = (first: number | null, last: number | null): string =>
  first === null || last === null ? UNKNOWN : `${utc(first).slice(0, 10)} to ${utc(last).slice(0, 10)}`

/** A bar such as "1d" in milliseconds. */
export function barMilliseconds(bar: string): number {
  const sizes: Record<string, number> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 }
  return Number(bar.slice(0, -1)) * (sizes[bar.slice(-1)] ?? 864e5)
}

/** Runs that are chosen, with one more or one less; never more than may be compared. */
export function toggled(chosen: readonly string[], id: string): readonly string[] {
  if (chosen.includes(id)) return chosen.filter((each) => each !== id)
  return chosen.length < MOST_COMPARED ? [...chosen, id] : chosen
}
