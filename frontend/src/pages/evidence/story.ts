import type { Schema } from '../../api/client'
import { count, counted, number, signedPercent } from '../../format'

/** Whether a strategy stands on a plateau or on a needle; the rule is that of the report. */
export function neighbourhood(neighbours: readonly Schema<'NeighbourModel'>[], own: number | null): string {
  if (neighbours.length === 0) return 'It has no number that could be a step higher or lower.'
  if (own === null) return 'Its own Sharpe ratio is not known, so there is nothing to hold its neighbours against.'
  // One that does not trade has no ratio, and earns nothing.
  const ratios = neighbours.map((each) => each.sharpe ?? 0).sort((a, b) => a - b)
  const middle = median(ratios)
  const better = ratios.filter((ratio) => ratio > own).length
  const losing = ratios.filter((ratio) => ratio <= 0).length
  const plateau = own > 0 && middle >= 0.7 * own
  return (
    `Its Sharpe ratio of ${number(own)} becomes ${number(ratios[0])} at the worst and ${number(middle)} in the middle of ${counted(ratios.length, 'neighbour')}; ` +
    `${count(better)} of them ${better === 1 ? 'does' : 'do'} better, ${count(losing)} ${losing === 1 ? 'earns' : 'earn'} nothing. ` +
    (plateau ? 'It stands on a plateau.' : 'It stands on a needle: be wary.')
  )
}

export function median(sorted: readonly number[]): number {
  const half = sorted.length >> 1
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2
}

/** In which kind of market it did worst. */
export function weakest(regimes: readonly Schema<'RegimeModel'>[]): string {
  const known = regimes.filter((each) => each.annual_return !== null)
  const worst = known.reduce<Schema<'RegimeModel'> | null>(
    (least, each) => (least === null || (each.annual_return ?? 0) < (least.annual_return ?? 0) ? each : least),
    null,
  )
  if (worst === null) return 'There are too few bars to tell kinds of markets apart.'
  return `It did worst where the market was ${worst.name}: ${signedPercent(worst.annual_return)} a year.`
}
