import { useMemo } from 'react'
import { number } from '../format'
import { LinesChart } from './LinesChart'
import { extremes, type Series } from './points'

interface WealthChartProps {
  label: string
  /** Wealth of bets that began at 1; six at most. */
  runs: readonly Series[]
  /** What it has to reach. */
  level?: number
  levelName?: string
  axis?: 'time' | 'index'
  /** What the points are numbered by, where they are: "Observation". */
  axisName?: string
  height?: number
}

/** The wealth of bets on candidates against the level that is evidence, on a logarithmic scale. */
export function WealthChart({
  label,
  runs,
  level,
  levelName = 'Level to reach',
  axis = 'time',
  axisName,
  height,
}: WealthChartProps) {
  const series = useMemo(
    // A logarithm of nothing is not drawn.
    () =>
      runs.map((run) => ({
        ...run,
        points: run.points.map((point) => ((point.value ?? 0) > 0 ? point : { time: point.time, value: null })),
      })),
    [runs],
  )
  const reach = useMemo(() => (level === undefined ? undefined : { value: level, name: levelName }), [level, levelName])
  const summary = useMemo(() => {
    const each = series.flatMap((run) => {
      const of = extremes(run.points)
      if (!of) return []
      const reached = level !== undefined && of.high.value >= level
      return [
        `${run.name} ends at ${number(of.last.value, 2)}${level === undefined ? '' : `, ${reached ? 'has reached' : 'has not reached'} ${number(level, level < 100 ? 1 : 0)}`}`,
      ]
    })
    return each.length > 0 ? `${each.join('; ')}.` : 'There are no points yet.'
  }, [series, level])
  return (
    <LinesChart
      label={label}
      summary={summary}
      series={series}
      logarithmic
      level={reach}
      axis={axis}
      {...(axisName ? { axisName } : {})}
      {...(height ? { height } : {})}
    />
  )
}
