export const MINUS = '\u2212'
/** What is unknown is never shown as zero. */
export const UNKNOWN = '—'

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const cents = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const tenths = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

const known = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value)
const negative = (text: string, value: number) => (value < 0 && /[1-9]/.test(text) ? MINUS + text : text)

/** An amount: two decimals below 100,000, none below a million, then millions. */
export function money(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN
  const size = Math.abs(value)
  const text = size >= 1e6 ? `${cents.format(size / 1e6)}M` : size >= 1e5 ? whole.format(size) : cents.format(size)
  return negative(text, value)
}

/** A profit or loss: always with its sign; zero has none. */
export function signed(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN
  const text = money(value)
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text
}

/** A share as percent with one decimal. */
export function percent(value: number | null | undefined, decimals = 1): string {
  if (!known(value)) return UNKNOWN
  const text = decimals === 1 ? tenths.format(Math.abs(value) * 100) : (Math.abs(value) * 100).toFixed(decimals)
  return `${negative(text, value)}%`
}

export function signedPercent(value: number | null | undefined, decimals = 1): string {
  const text = percent(value, decimals)
  return known(value) && value > 0 && /[1-9]/.test(text) ? `+${text}` : text
}

export function number(value: number | null | undefined, decimals = 2): string {
  if (!known(value)) return UNKNOWN
  const text = Math.abs(value).toLocaleString('en-US', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  })
  return negative(text, value)
}

export const count = (value: number | null | undefined): string => (known(value) ? whole.format(value) : UNKNOWN)

/** "1 agent", "2 agents". */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${whole.format(value)} ${value === 1 ? one : many}`

/** The class of an amount's colour; what rounds to zero is neutral. */
export const tone = (value: number | null | undefined): 'gain' | 'loss' | '' =>
  !known(value) || Math.abs(value) < 0.005 ? '' : value > 0 ? 'gain' : 'loss'

/** Colour never stands alone. */
export const glyph = (value: number | null | undefined): string => ({ gain: '▲', loss: '▼', '': '•' })[tone(value)]

/** "3 s", "5 min", "2 h", "4 d". */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** A time as ISO in UTC, to the second: for tooltips and tables of a market's past. */
export const utc = (milliseconds: number | null | undefined): string =>
  known(milliseconds) ? new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ') : UNKNOWN

export const utcDate = (milliseconds: number | null | undefined): string => utc(milliseconds).slice(0, 10)

/** With a capital at its beginning. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
