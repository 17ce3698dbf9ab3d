import type { Schema } from '../api/client'
import { counted, money, UNKNOWN } from '../format'

export type StopLevel = Schema<'StopLevel'>
export type Level = StopLevel['level']

/** An amount with its currency; an account whose instruments name no currency has none to show. */
export function amount(notional: Schema<'Notional'>): string {
  if (notional.amount === null) return UNKNOWN
  const text = money(Number(notional.amount))
  return notional.currency === 'quote' ? text : `${text} ${notional.currency}`
}

/** What the positions are worth; unlike currencies stand beside each other. */
export const worth = (level: StopLevel): string => level.notional.map(amount).join(' + ') || UNKNOWN

export const TITLES: Record<Level, string> = {
  stop_entries: 'Stop entries',
  flatten: 'Flatten',
  halt: 'Halt',
}

/** One line under the name of a level. */
export const PURPOSES: Record<Level, string> = {
  stop_entries: 'Positions may only become smaller. For winding down, or for a while.',
  flatten: 'Everything is closed at the market, until the venue says that it is flat.',
  halt: 'Everything is left as it is. For when something is odd and you want to look first.',
}

/** What happens, one sentence a line, with the numbers of this moment. */
export function consequences(level: StopLevel): string[] {
  const agents = `${counted(level.agents, 'agent')} may enter nothing any more.`
  const cancelled = level.cancelled
    ? `${counted(level.cancelled, 'entry that waits is', 'entries that wait are')} cancelled.`
    : 'No entry waits.'
  if (level.level === 'flatten') {
    const closed = level.closed
      ? `${counted(level.closed, 'position')} worth ${worth(level)} ${level.closed === 1 ? 'is' : 'are'} closed at the market; exits stay until then.`
      : 'No position is open; the venue is asked all the same.'
    return [agents, cancelled, closed, 'It stays halted until somebody types RESUME.']
  }
  const kept = level.kept
    ? `${counted(level.kept, 'position')} worth ${worth(level)} ${level.kept === 1 ? 'stays' : 'stay'} open, with ${level.kept === 1 ? 'its' : 'their'} exits.`
    : 'No position is open.'
  const until =
    level.level === 'halt'
      ? 'Orders are treated as under Stop entries; the account and every agent say HALTED until somebody types RESUME.'
      : 'The account and every agent say REDUCING until somebody types RESUME.'
  return [agents, cancelled, kept, until]
}

/** What the button does, said on the button. */
export function deed(level: StopLevel): string {
  if (level.level === 'stop_entries') return 'Stop entries'
  if (level.level === 'halt') return level.agents ? `Halt ${counted(level.agents, 'agent')}` : 'Halt'
  return level.closed ? `Close ${counted(level.closed, 'position')}` : 'Flatten'
}

/** Whether what was typed lets the button be pressed. */
export const mayGo = (level: StopLevel, typed: string): boolean => level.word === null || typed === level.word

/** A name of one wish: the server makes one order of it however often it is sent. */
export function wishName(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, '0')).join('')
}

export interface Verdict {
  tone: 'wait' | 'good' | 'bad'
  title: string
}

/** Where an order stands, in a line that claims nothing that no run has said. */
export function verdict(answers: Schema<'OrderAnswers'>, waited: number): Verdict {
  const flatten = answers.order.ordered === 'flatten'
  const ended = answers.runs.filter((run) => run.state === 'ended')
  if (!answers.holds) return { tone: 'bad', title: 'Another order has been given since' }
  if (ended.length)
    return {
      tone: 'bad',
      title: flatten
        ? 'NOT VERIFIED FLAT: a run ended before it was done'
        : 'A run ended before it said that it is done',
    }
  if (!answers.runs.length) return { tone: flatten ? 'bad' : 'good', title: 'Nothing is running; the order stands' }
  if (answers.done && flatten && answers.unattended.length)
    return { tone: 'bad', title: 'Flat where somebody is at work, NOT FLAT elsewhere' }
  if (answers.done) return { tone: 'good', title: flatten ? 'Flat, verified with the venue' : 'Every run has obeyed' }
  if (!flatten)
    return waited < LATE ? { tone: 'wait', title: 'Waiting for the runs' } : { tone: 'bad', title: 'No word yet' }
  return waited < LATE ? { tone: 'wait', title: 'Closing: not flat yet' } : { tone: 'bad', title: 'STILL NOT FLAT' }
}

/** Milliseconds after which waiting is said out loud. */
export const LATE = 10_000
