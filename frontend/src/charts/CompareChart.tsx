import { useMemo } from 'react'
import { signedPercent } from '../format'
import { LinesChart } from './LinesChart'
import { extremes, rebased, type Series, valueFrom } from './points'

interface CompareChartProps {
  label: string
  /** Six at most; the values are equities of any size. */
  runs: readonly Series[]
  axis?: 'time' | 'index'
  height?: number
}

/** Runs beside each other: each begins at 100 where all of them have begun. */
export function CompareChart({ label, runs, axis = 'time', height }: CompareChartProps) {
  const series = useMemo(() => {
    const begun = Math.max(...runs.map((run) => extremes(run.points)?.first.time ?? Number.NEGATIVE_INFINITY))
    // Where they do not overlap, each begins at its own start.
    const together = runs.every((run) => valueFrom(run.points, begun) !== null)
    return runs.map((run) => ({
      ...run,
      points: rebased(run.points, together ? begun : Number.NEGATIVE_INFINITY, 100),
    }))
  }, [runs])
  const summary = useMemo(() => {
    const each = series.flatMap((run) => {
      const of = extremes(run.points)
      return of ? [`${run.name} ${signedPercent(of.last.value / 100 - 1)}`] : []
    })
    return each.length > 0 ? `Rebased to 100 at the common start: ${each.join('; ')}.` : 'There are no points yet.'
  }, [series])
  return <LinesChart label={label} summary={summary} series={series} axis={axis} {...(height ? { height } : {})} />
}
