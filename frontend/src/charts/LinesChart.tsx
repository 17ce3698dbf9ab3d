import { lazy, useMemo } from 'react'
import { number } from '../format'
import { MarketTime } from '../parts/MarketTime'
import { ChartFigure } from './ChartFigure'
import { DASHES, MOST_LINES } from './points'
import type { LinesProps } from './props'

const LinesCanvas = lazy(() => import('./LinesCanvas'))

/** Some lines in one chart, told apart by colour, dash and name. */
export function LinesChart(props: LinesProps) {
  const { label, summary, axis = 'time', axisName, decimals = 2, height = 300 } = props
  const series = useMemo(() => props.series.slice(0, MOST_LINES), [props.series])
  const rows = useMemo(() => {
    const all = new Map<number, (number | null)[]>()
    series.forEach((one, at) => {
      for (const point of one.points) {
        const row = all.get(point.time) ?? series.map(() => null)
        row[at] = point.value
        all.set(point.time, row)
      }
    })
    return [...all].sort(([a], [b]) => a - b).map(([time, values]) => ({ time, values }))
  }, [series])
  return (
    <ChartFigure
      label={label}
      summary={summary}
      height={height}
      rows={rows}
      keyOf={(row) => row.time}
      columns={[
        {
          id: 'time',
          title: axisName ?? (axis === 'time' ? 'Time (UTC)' : 'Number'),
          cell: (row) => (axis === 'time' ? <MarketTime at={row.time} /> : row.time),
          by: (row) => row.time,
        },
        ...series.map((one, at) => ({
          id: one.id,
          title: one.name,
          cell: (row: (typeof rows)[number]) => number(row.values[at], decimals),
          numeric: true,
        })),
      ]}
      legend={
        <span className="chart-legend">
          {series.map((one, at) => (
            <span
              key={one.id}
              className={DASHES[at] ? 'dashed' : undefined}
              style={{ '--swatch': `var(--line-${at + 1})` } as React.CSSProperties}
            >
              <bdi>{one.name}</bdi>
            </span>
          ))}
          {props.level && (
            <span className="dashed" style={{ '--swatch': 'var(--warn)' } as React.CSSProperties}>
              {props.level.name}
            </span>
          )}
        </span>
      }
    >
      <LinesCanvas {...props} series={series} height={height} />
    </ChartFigure>
  )
}
