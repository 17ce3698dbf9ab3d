import type { Schema } from '../../api/client'
import { count, money, number, percent, UNKNOWN } from '../../format'

export type Setting = Schema<'Setting'>

/** A value with its unit; unset is said in a word, never as zero. */
export function shown(unit: Setting['unit'], value: string | null, currency: string): string {
  if (value === null) return 'none'
  if (unit === 'text') return value || 'none'
  const figure = Number(value)
  if (!Number.isFinite(figure)) return value || UNKNOWN
  switch (unit) {
    case 'money':
      return currency ? `${money(figure)} ${currency}` : money(figure)
    case 'multiple':
      return `${trimmed(figure)}×`
    case 'share':
      return percent(figure, Math.abs(figure) < 0.01 && figure !== 0 ? 2 : 1)
    case 'seconds':
      return `${count(figure)} s`
    default:
      return count(figure)
  }
}

const trimmed = (figure: number) => number(figure, 2).replace(/\.?0+$/, '')

export const SOURCES: Record<Setting['source'], string> = {
  default: 'default',
  file: 'set here',
  environment: 'environment',
  option: 'option of this start',
}

/** What the file says although something that comes first holds; null where nothing stands in the way. */
export const overruled = ({ source, in_file }: Setting): string | null =>
  source === 'option' || source === 'environment' ? in_file : null

/** What a value is written in, beside its field. */
const UNITS: Record<Setting['unit'], string> = {
  money: 'quote currency',
  multiple: 'times',
  share: 'share of 1, such as 0.1 for 10%',
  seconds: 'seconds',
  count: 'whole number',
  text: 'text',
}

/** The range of a setting in words. */
export function range({ least, most, unit }: Setting): string {
  const parts = []
  if (least !== null) parts.push(`${least === '0' ? 'above' : 'from'} ${least}`)
  if (most !== null) parts.push(`up to ${most}`)
  return [UNITS[unit], parts.join(' ')].filter(Boolean).join(', ')
}
