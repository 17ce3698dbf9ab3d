import type { Schema } from '../../api/client'
import { counted, money } from '../../format'
import type { Fleet } from '../../live/fleet'
import { type AgentState, STATES } from '../../live/frames'

export type PauseAnswer = Schema<'PauseAnswer'>

export const OVER: readonly AgentState[] = ['fired', 'released']
export const PAUSED: readonly AgentState[] = ['paused', 'pausing']

/** The state of an agent as the live fleet has it; undefined where it is not in it. */
export function stateOf(fleet: Fleet, id: string): AgentState | undefined {
  const row = fleet.rowOf(id)
  return row === undefined ? undefined : STATES[fleet.state[row] ?? 0]
}

/** What an order to pause some agents, or to unpause them, would be for. */
export interface Consequences {
  /** Those whom it concerns, of whom it is true already, and whose slot has ended. */
  concerned: string[]
  already: number
  over: number
  /** Of those whom it concerns: how many hold something, its gross notional, and of how many that is not known. */
  holding: number
  notional: number
  unknown: number
}

export function consequencesOf(fleet: Fleet, ids: Iterable<string>, pause: boolean): Consequences {
  const found: Consequences = { concerned: [], already: 0, over: 0, holding: 0, notional: 0, unknown: 0 }
  for (const id of ids) {
    const row = fleet.rowOf(id)
    const state = stateOf(fleet, id)
    if (row === undefined || state === undefined) continue
    if (OVER.includes(state)) found.over++
    else if (PAUSED.includes(state) === pause) found.already++
    else {
      found.concerned.push(id)
      const exposure = fleet.exposure[row] ?? Number.NaN
      if (Number.isNaN(exposure)) found.unknown++
      else if (exposure > 0) {
        found.holding++
        found.notional += exposure
      }
    }
  }
  return found
}

/** What happens, one sentence a line, with the numbers of this moment. */
export function inWords(found: Consequences, pause: boolean, currency: string): string[] {
  const { concerned, already, over, holding, notional, unknown } = found
  const many = concerned.length
  const lines: string[] = []
  if (many > 0 && pause) {
    const whose = many === 1 ? 'Its entries' : 'Their entries'
    lines.push(`${counted(many, 'agent enters', 'agents enter')} nothing any more, until somebody unpauses them.`)
    if (many === 1) lines[0] = 'It enters nothing any more, until somebody unpauses it.'
    lines.push(`${whose} that wait are cancelled.`)
    if (holding > 0 || unknown === 0) lines.push(held(holding, many, `${money(notional)} ${currency}`.trim()))
  } else if (many > 0) {
    const who =
      many === 1 ? 'It decides anew, and may' : `${counted(many, 'agent decides', 'agents decide')} anew, and may`
    lines.push(`${who} enter what is still wanted at once, within the limits.`)
    lines.push('What stops all of them, such as a halt, goes on stopping them.')
  }
  if (unknown > 0 && pause)
    lines.push(`What ${counted(unknown, 'agent holds', 'agents hold')} is not known: a price is missing.`)
  if (already > 0)
    lines.push(`${counted(already, 'agent is', 'agents are')} ${pause ? 'paused already' : 'not paused'}.`)
  if (over > 0) lines.push(`${counted(over, 'agent was', 'agents were')} fired or released: nothing is left to pause.`)
  return lines
}

function held(holding: number, many: number, worth: string): string {
  if (holding === 0) return many === 1 ? 'It holds nothing.' : 'None of them holds anything.'
  if (many === 1) return `What it holds, worth ${worth}, stays open; its exits live on.`
  const who = holding === many ? 'All of them hold' : counted(holding, 'of them holds', 'of them hold')
  return `${who} positions, worth ${worth}: these stay open, and their exits live on.`
}

/** "Pause 12 agents", "Unpause a001". */
export function deed(concerned: readonly string[], pause: boolean): string {
  const what = concerned.length === 1 ? concerned[0] : counted(concerned.length, 'agent')
  return `${pause ? 'Pause' : 'Unpause'} ${what}`
}

/** The agents of an answer of whom something was ordered: what an undoing is for. */
export const orderedIn = (answer: PauseAnswer): string[] =>
  answer.agents.filter((each) => each.outcome === 'ordered').map((each) => each.agent)
