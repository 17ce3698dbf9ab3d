import type { Schema } from '../api/client'

export type Status = Schema<'Status'> & { topic: 'status' }
export type FleetFrame = Schema<'FleetFrame'> & { topic: 'fleet' }
type FeedFrame = Schema<'FeedFrame'> & { topic: 'feed' }
export type FeedLine = Schema<'FeedLine'>
export type ChangedFrame = Schema<'ChangedFrame'> & { topic: 'changed' }
type Frame = Status | FleetFrame | FeedFrame | ChangedFrame
export type Topic = Frame['topic']
export type AgentState = FleetFrame['state'][number]

export const STATES: readonly AgentState[] = [
  'active',
  'pausing',
  'paused',
  'unpausing',
  'halted',
  'reducing',
  'fired',
  'released',
]
/** The columns of numbers of a fleet, as they are named on the wire. */
export const NUMBERS = ['equity', 'profit', 'total', 'drawdown', 'exposure', 'risk', 'wealth'] as const
export type NumberColumn = (typeof NUMBERS)[number]

/** A frame that is longer is not read: 20,000 agents need a fifth of it. */
const LONGEST = 16e6
export const MOST_ROWS = 20_000
const MOST_LINES = 2_000
const LONGEST_TEXT = 2_000

/** The frame that a text holds; null for everything that is none: nothing of it reaches the page. */
export function readFrame(text: unknown): Frame | null {
  if (typeof text !== 'string' || text.length > LONGEST) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!isRecord(value) || !isCount(value.seq)) return null
  switch (value.topic) {
    case 'status':
      return isStatus(value) ? (value as Status) : null
    case 'fleet':
      return isFleet(value) ? (value as FleetFrame) : null
    case 'feed':
      return isFeed(value) ? (value as FeedFrame) : null
    case 'changed':
      return isArrayOf(value.what, isText, 100) ? (value as ChangedFrame) : null
    default:
      return null
  }
}

type Fields = Record<string, unknown>

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isCount = (value: unknown): value is number => isNumber(value) && Number.isInteger(value) && value >= 0
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= LONGEST_TEXT
const orNull = (is: (value: unknown) => boolean) => (value: unknown) => value === null || is(value)
const isArrayOf = (value: unknown, is: (item: unknown) => boolean, most: number): value is unknown[] =>
  Array.isArray(value) && value.length <= most && value.every(is)

const STATUS_FIELDS: Record<string, (value: unknown) => boolean> = {
  sent_at: isNumber,
  mode: isText,
  run: orNull(isText),
  phase: isText,
  phase_text: isText,
  progress: orNull(isNumber),
  market_time: orNull(isNumber),
  heard_at: orNull(isNumber),
  standing: isText,
  currency: isText,
  equity: orNull(isNumber),
  day_profit: orNull(isNumber),
  day_loss_limit: orNull(isNumber),
  reserved: orNull(isNumber),
  drawdown: orNull(isNumber),
  gross: orNull(isNumber),
  agents: orNull(isCount),
  positions: orNull(isCount),
  approvals: orNull(isCount),
  alerts: orNull(isCount),
}

const isStatus = (value: Fields) => Object.entries(STATUS_FIELDS).every(([name, is]) => is(value[name]))

function isFleet(value: Fields): boolean {
  const index = value.index
  if (typeof value.whole !== 'boolean' || !isArrayOf(index, isCount, MOST_ROWS)) return false
  const texts = [value.ids, value.names, value.markets]
  const named = texts.every((column) => isArrayOf(column, isText, MOST_ROWS))
  if (!named && (value.whole || texts.some((column) => column !== null))) return false
  if (named && texts.some((column) => (column as unknown[]).length !== (value.ids as unknown[]).length)) return false
  const columns = [value.state, ...NUMBERS.map((name) => value[name])]
  if (columns.some((column) => !Array.isArray(column) || column.length !== index.length)) return false
  if (!(value.state as unknown[]).every((state) => STATES.includes(state as AgentState))) return false
  return NUMBERS.every((name) => (value[name] as unknown[]).every(orNull(isNumber)))
}

const isFeed = (value: Fields) =>
  typeof value.whole === 'boolean' &&
  isArrayOf(
    value.lines,
    (line) =>
      isRecord(line) &&
      isCount(line.seq) &&
      isNumber(line.time) &&
      isText(line.kind) &&
      isText(line.text) &&
      isText(line.tone) &&
      orNull(isText)(line.agent),
    MOST_LINES,
  )
