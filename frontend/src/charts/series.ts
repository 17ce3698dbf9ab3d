import type { Schema } from '../api/client'
import type { Point } from './points'

/** A column of an answer beside its times. */
export const pointsOf = (times: readonly number[], values: readonly (number | null)[]): Point[] =>
  times.map((time, at) => ({ time, value: values[at] ?? null }))

interface EquitySeries {
  equity: Point[]
  benchmark: Point[]
  drawdown: Point[]
}

/** A curve of the interface as charts take it. */
export const equityOf = (curve: Schema<'EquityCurve'> | undefined): EquitySeries => ({
  equity: pointsOf(curve?.time ?? [], curve?.equity ?? []),
  benchmark: curve?.benchmark ? pointsOf(curve.time, curve.benchmark) : [],
  drawdown: pointsOf(
    curve?.time ?? [],
    (curve?.drawdown ?? []).map((share) => -share),
  ),
})
