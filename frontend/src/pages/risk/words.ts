import type { Schema } from '../../api/client'
import { MINUS, money, percent, UNKNOWN } from '../../format'

export type Budget = Schema<'BudgetRow'>

/** An amount of text in a currency that stands elsewhere. */
export const amount = (text: string | null): string => (text === null ? UNKNOWN : money(Number(text)))

/** "0.87 of 2.00 used: 0.00 lost, 0.87 reserved". */
export function budgetText(row: Budget, currency: string): string {
  if (row.lost === null || row.reserved === null)
    return `of ${amount(row.limit)} ${currency}; how much is used is not known`
  const used = money(Number(row.lost) + Number(row.reserved))
  return `${used} of ${amount(row.limit)} ${currency}: ${amount(row.lost)} lost, ${amount(row.reserved)} reserved`
}

/** How much of a limit is used, in words; what is no amount that is used up has none. */
export const usedText = (row: Schema<'LimitRow'>): string => (row.share === null ? UNKNOWN : percent(row.share))

/** The numbers of a verdict, shortest words first. */
export function numbers(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${short(value)}`)
    .join(' · ')
}

const short = (value: string): string => {
  const figure = Number(value)
  if (!Number.isFinite(figure) || (value.length <= 9 && !/e/i.test(value))) return value.replace(/^-/, MINUS)
  return String(Number(figure.toPrecision(6))).replace(/^-/, MINUS)
}

const FACTS: Record<string, string> = {
  TradingStopped: 'Trading stopped',
  TradingResumed: 'Trading resumed',
  ApprovalSigned: 'Approval signed',
  RejectionSigned: 'Rejection signed',
  SettingChanged: 'Setting changed',
  PositionAdopted: 'Position adopted',
}

/** "StrategySaved" as "Strategy saved". */
export const fact = (what: string): string =>
  FACTS[what] ??
  what.replace(/([a-z0-9])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)

/** Of a list so many are named. */
const MOST_NAMED = 12

/** What is read first. */
const FIRST = ['name', 'level', 'before', 'after']

/** The details of an entry in a line; what is nested as JSON. */
export function facts(values: Record<string, unknown>): string {
  const place = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length)
  return Object.entries(values)
    .sort(([a], [b]) => place(a) - place(b))
    .filter(([, value]) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${plain(value)}`)
    .join(' · ')
}

function plain(value: unknown): string {
  if (Array.isArray(value)) {
    const more = value.length - MOST_NAMED
    return [
      ...value.slice(0, MOST_NAMED).map(plain),
      ...(more > 0 ? [`${more.toLocaleString('en-US')} more`] : []),
    ].join(', ')
  }
  if (typeof value === 'object' && value !== null) {
    if ('amount' in value && 'currency' in value) return `${String(value.amount ?? UNKNOWN)} ${String(value.currency)}`
    return JSON.stringify(value)
  }
  return String(value)
}
