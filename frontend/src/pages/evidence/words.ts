import type { Schema } from '../../api/client'
import { count, counted, number, percent, UNKNOWN } from '../../format'

type Claim = Schema<'ClaimModel'>
type Level = Schema<'LevelModel'>
type Gate = Schema<'GateModel'>
type LuckOnBars = Schema<'LuckOnBars'>
type WorldTable = Schema<'WorldTable'>
type WorldRow = Schema<'WorldRow'>
export type Standing = Claim['standing']

/** Wealth for people: three digits or so, whatever its size. */
export function wealth(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN
  if (value === 0) return '0'
  if (value < 0.01) return 'under 0.01'
  if (value < 100) return number(value, 2)
  if (value < 1_000) return number(value, 1)
  if (value < 1e6) return count(value)
  if (value < 1e9) return `${number(value / 1e6, 1)} million`
  return `10^${Math.floor(Math.log10(value))}`
}

/** A level: whole where it is. */
export const level = (value: number): string =>
  Number.isInteger(value) && value < 1e6 ? count(value) : value < 1_000 ? number(value, 1) : wealth(value)

/** A gate's number: what is not quite 0 or 1 is not written as if it were. */
export function gateNumber(value: number | null): string {
  if (value !== null && value > 0 && value < 0.0005) return 'under 0.001'
  if (value !== null && value < 1 && value > 0.9995) return 'over 0.999'
  return number(value, 3)
}

/** A chance or a level: as many digits as it takes to tell it from zero. */
export function chance(value: number): string {
  if (value >= 0.1) return number(value, 2)
  if (value >= 0.001) return number(value, 4).replace(/0+$/, '')
  if (value <= 0) return '0'
  return `${number(value / 10 ** Math.floor(Math.log10(value)), 1)} × 10^${Math.floor(Math.log10(value))}`.replace(
    '^-',
    '^\u2212',
  )
}

/** A word and a sign for where a claim stands; neither is a colour alone. */
export const STANDINGS: Record<Standing, { word: string; glyph: string }> = {
  proven: { word: 'proven, waits for a person', glyph: '✓' },
  on_the_way: { word: 'no proof yet', glyph: '…' },
  not_begun: { word: 'no bar has counted yet', glyph: '○' },
  broken: { word: 'void: a bar lost more than its bound', glyph: '✗' },
}

/** What there is to say for a claim, and no more. */
export function verdict(claim: Pick<Claim, 'standing' | 'peak' | 'wealth_to_reach' | 'bars'>): string {
  const reach = level(claim.wealth_to_reach)
  switch (claim.standing) {
    case 'proven':
      return `Its wealth has reached ${reach}, the level that was fixed when it was registered: that is proof at this level. Nothing follows from it by itself: real money needs a person and a venue.`
    case 'broken':
      return 'A bar has lost more than could be lost according to its bound, so the bet is void: its wealth is 0 and stays there.'
    case 'not_begun':
      return 'No bar has counted yet, so there is nothing to say for it or against it.'
    case 'on_the_way':
      return `After ${counted(claim.bars, 'bar')} that count it had ${wealth(claim.peak)} at its best, of the ${reach} that it has to reach: no proof yet. That is no proof against it either.`
  }
}

/** Why a claim has the level that it has, with its numbers. */
export function whyLevel(why: Level): string {
  const { number: k, promotions_before: before } = why
  return (
    `It is claim number ${count(k)} of this home, and ${counted(before, 'promotion')} had been made when it was registered. ` +
    `So its level is α = ${number(why.alpha, 1)} × 1/(${count(k)} × ${count(k + 1)}) × (${count(before)} + 1) = ${chance(why.level)}, ` +
    `and its wealth has to reach 1/α = ${level(why.wealth_to_reach)}.`
  )
}

/** How far a claim has come to its level on a logarithmic scale, from 0 to 1. */
export function progress(claim: Pick<Claim, 'peak' | 'wealth_to_reach' | 'standing'>): number {
  if (claim.standing === 'proven') return 1
  if (claim.standing === 'broken') return 0
  return Math.min(1, Math.max(0, Math.log(claim.peak) / Math.log(claim.wealth_to_reach)))
}

interface GateWords {
  title: string
  term: 'deflated' | 'overfitting' | 'crossvalidation' | 'endurance' | 'selection' | 'superiority' | null
  rule: 'at least' | 'at most' | 'above'
  meaning: string
}

const GATES: Record<string, Omit<GateWords, 'rule'> & { rule: GateWords['rule'] }> = {
  'deflated-sharpe': {
    title: 'Deflated Sharpe ratio',
    term: 'deflated',
    rule: 'at least',
    meaning: 'Is it better than the best that luck would show in as many trials?',
  },
  overfitting: {
    title: 'Overfitting',
    term: 'overfitting',
    rule: 'at most',
    meaning: 'Does what is best in one half of the time stay good in the other half?',
  },
  'cross-validation': {
    title: 'Cross-validation',
    term: 'crossvalidation',
    rule: 'above',
    meaning: 'Did it earn in nearly every part of the time, or in a lucky few?',
  },
  endurance: {
    title: 'Endurance',
    term: 'endurance',
    rule: 'at least',
    meaning: 'Is at least half of it left when costs double and it acts a bar late?',
  },
  selection: {
    title: 'Selection',
    term: 'selection',
    rule: 'above',
    meaning: 'Did it earn on bars that its author has never seen, at one look?',
  },
  superiority: {
    title: 'Superiority',
    term: 'superiority',
    rule: 'at most',
    meaning: 'Is it better than nothing there, all finalists and looks accounted for?',
  },
}

/** A gate for people: its question, and which way its number has to lie. */
export function gateWords(gate: Pick<Gate, 'name'>): GateWords {
  return GATES[gate.name] ?? { title: gate.name, term: null, rule: 'at least', meaning: '' }
}

/** "5 of 6 gates passed; held back by cross-validation." */
export function gatesPassed(gates: readonly Gate[]): string {
  const failed = gates.filter((gate) => !gate.passed).map((gate) => gateWords(gate).title.toLowerCase())
  const passed = `${gates.length - failed.length} of ${counted(gates.length, 'gate')} passed`
  return failed.length === 0 ? `${passed}.` : `${passed}; held back by ${failed.join(', ')}.`
}

/** The best that was found against what luck alone would show of as many as were tried. */
export function luckVerdict(luck: LuckOnBars): string {
  const { best, charged } = luck
  const ruler =
    `Take ${counted(charged.trials, 'strategy', 'strategies')} without an edge, as many as there are trials, that have nothing to do with one another: over ${count(luck.bars)} bars the best of them is expected to show a Sharpe ratio of ${number(charged.expected)}, ` +
    `and in nine of ten homes it lies between ${number(charged.low)} and ${number(charged.high)}. The best that was found on these bars shows ${number(best.sharpe)}. `
  if (best.sharpe < charged.low) return `${ruler}That is less than luck alone would show.`
  if (best.sharpe <= charged.high) return `${ruler}Luck alone would do that.`
  return `${ruler}That is more than luck alone would show of so many. It is a reason to look closer and no proof: it was chosen on these very bars.`
}

/** Where a table of worlds comes from. */
export function worldsSource(table: WorldTable): string {
  const stopped = table.campaigns < table.planned ? `, stopped after ${count(table.campaigns)} of them` : ''
  return `${counted(table.planned, 'campaign')}${stopped}, each in a world of ${number(table.years, 0)} years of daily bars made from ${table.source === 'sample' ? 'the sample market' : table.source}, with ${count(table.budget)} strategies to try. Made on ${table.at} by clawd ${table.version}: `
}

/** Worlds in which nothing can be found: campaigns, strategies tried, and proofs, all of them false. */
export function nothingToFind(table: WorldTable) {
  const rows = table.rows.filter((row) => row.kind === 'noise' || row.kind === 'hidden')
  const sum = (of: (row: WorldRow) => number) => rows.reduce((total, row) => total + of(row), 0)
  return {
    campaigns: sum((row) => row.campaigns),
    trials: sum((row) => row.trials),
    false: sum((row) => row.false),
    naive: sum((row) => row.naive_false),
  }
}

export const WORLDS: Record<WorldRow['kind'], { title: string; meaning: string }> = {
  noise: { title: 'Noise', meaning: 'nothing can be predicted: every proof is false' },
  planted: { title: 'Planted', meaning: 'all instruments follow a known rule, the oracle’s' },
  mixed: { title: 'Mixed', meaning: 'two of four instruments follow a rule, two are noise' },
  hidden: { title: 'Hidden', meaning: 'what moves them is not shown to the search: every proof is false' },
}

/** "0% to 3.6%". */
export const interval = ({ low, high }: Schema<'Interval'>): string => `${share(low)} to ${share(high)}`

const share = (value: number) => percent(value, value > 0 && value < 0.1 ? 1 : 0)
