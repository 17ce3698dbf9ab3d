import { UNKNOWN } from '../format'

const MINUS = '\u2212'

/** A booked amount as the server wrote it, all of its digits, in groups of three. */
export function exact(text: string | null | undefined): string {
  if (text === null || text === undefined) return UNKNOWN
  const [, sign = '', whole = '', rest = ''] = /^(-?)(\d+)(\.\d+)?$/.exec(text) ?? []
  if (!whole) return text
  return (sign && MINUS) + whole.replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',') + rest
}

/** A price: all digits of a booked one, but no more than eight that say something. */
export function price(text: string | null | undefined): string {
  if (text === null || text === undefined) return UNKNOWN
  const value = Number(text)
  if (!Number.isFinite(value)) return text
  const whole = Math.max(1, Math.trunc(Math.abs(value)).toString().length)
  const decimals = Math.min((text.split('.')[1] ?? '').length, Math.max(2, 8 - whole))
  return exact(value.toFixed(decimals))
}

/** Digits after the point that a chart of prices shows. */
export function decimalsOf(prices: readonly number[]): number {
  const highest = Math.max(0, ...prices.slice(-500).map(Math.abs))
  return highest >= 1000 ? 2 : highest >= 10 ? 3 : highest >= 0.1 ? 5 : 8
}
