import { lazy, useMemo } from 'react'
import { money, percent, signedPercent, utc } from '../format'
import { MarketTime } from '../parts/MarketTime'
import { ChartFigure } from './ChartFigure'
import { drawdowns, extremes, inOrder, type Point, valueFrom, withNow } from './points'
import type { EquityChartProps } from './props'

const EquityCanvas = lazy(() => import('./EquityCanvas'))

/** Equity against a benchmark, and the drawdown below it. */
export function EquityChart(props: EquityChartProps) {
  const { label, currency, height = 320, benchmarkName = 'Benchmark' } = props
  const equity = useMemo(() => inOrder(props.equity), [props.equity])
  const benchmark = useMemo(() => inOrder(props.benchmark ?? []), [props.benchmark])
  // What is said beside the canvas ends where its line does: at what is newer than the last point.
  const { now } = props
  const told = useMemo(() => withNow(equity, now), [equity, now])
  const rows = useMemo(() => {
    const below = new Map((props.drawdown ?? drawdowns(told)).map((point) => [point.time, point.value]))
    const beside = new Map(benchmark.map((point) => [point.time, point.value]))
    return told.map((point) => ({
      time: point.time,
      equity: point.value,
      benchmark: beside.get(point.time) ?? null,
      drawdown: below.get(point.time) ?? null,
    }))
  }, [told, benchmark, props.drawdown])
  const text = useMemo(
    () => summary(told, props.drawdown ?? drawdowns(told), benchmark, benchmarkName, currency),
    [told, props.drawdown, benchmark, benchmarkName, currency],
  )
  return (
    <ChartFigure
      label={label}
      summary={props.told ?? text}
      height={height}
      rows={rows}
      keyOf={(row) => row.time}
      columns={[
        { id: 'time', title: 'Time (UTC)', cell: (row) => <MarketTime at={row.time} />, by: (row) => row.time },
        {
          id: 'equity',
          title: `Equity, ${currency}`,
          cell: (row) => money(row.equity),
          by: (row) => row.equity,
          numeric: true,
        },
        ...(benchmark.length > 0
          ? [
              {
                id: 'benchmark',
                title: benchmarkName,
                cell: (row: (typeof rows)[number]) => money(row.benchmark),
                numeric: true,
              },
            ]
          : []),
        {
          id: 'drawdown',
          title: 'Drawdown',
          cell: (row) => percent(row.drawdown),
          by: (row) => row.drawdown,
          numeric: true,
        },
      ]}
      legend={
        <span className="chart-legend">
          <span style={{ '--swatch': 'var(--accent)' } as React.CSSProperties}>Equity</span>
          {benchmark.length > 0 && (
            <span className="dashed" style={{ '--swatch': 'var(--text-3)' } as React.CSSProperties}>
              {benchmarkName}
            </span>
          )}
          <span style={{ '--swatch': 'var(--loss)' } as React.CSSProperties}>Drawdown</span>
        </span>
      }
    >
      <EquityCanvas {...props} equity={equity} benchmark={benchmark} height={height} />
    </ChartFigure>
  )
}

function summary(
  equity: readonly Point[],
  below: readonly Point[],
  benchmark: readonly Point[],
  name: string,
  currency: string,
): string {
  const of = extremes(equity)
  if (!of) return 'There are no points yet.'
  const change = of.first.value > 0 ? signedPercent(of.last.value / of.first.value - 1) : 'unknown'
  const worst = extremes(below)?.low.value ?? 0
  const [from, to] = [valueFrom(benchmark, of.first.time), extremes(benchmark)?.last.value]
  const beside = from && to ? ` ${name}: ${signedPercent(to / from - 1)}.` : ''
  return (
    `From ${money(of.first.value)} to ${money(of.last.value)} ${currency} (${change}), ` +
    `${utc(of.first.time).slice(0, 10)} to ${utc(of.last.time).slice(0, 10)}; ` +
    `deepest drawdown ${percent(Math.min(0, worst))}.${beside}`
  )
}
