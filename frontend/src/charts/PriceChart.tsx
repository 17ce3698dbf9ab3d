import { lazy, useMemo } from 'react'
import { number, utc } from '../format'
import { MarketTime } from '../parts/MarketTime'
import { ChartFigure } from './ChartFigure'
import { type Candle, extremes, inOrder, type Mark } from './points'
import type { PriceChartProps } from './props'

const PriceCanvas = lazy(() => import('./PriceCanvas'))

/** Prices with what was done at them. */
export function PriceChart(props: PriceChartProps) {
  const { label, decimals, height = 320, currency = '', marks } = props
  const candles = useMemo(() => inOrder(props.candles), [props.candles])
  const text = useMemo(() => {
    const of = extremes(candles.map((candle) => ({ time: candle.time, value: candle.close })))
    if (!of) return 'There are no prices yet.'
    const [bought, sold] = ['buy', 'sell'].map((side) => marks?.filter((mark) => mark.side === side).length ?? 0)
    return (
      `Close from ${number(of.first.value, decimals)} to ${number(of.last.value, decimals)}${currency && ` ${currency}`}, ` +
      `${utc(of.first.time).slice(0, 16)} to ${utc(of.last.time).slice(0, 16)} UTC; ${bought} bought, ${sold} sold.`
    )
  }, [candles, marks, decimals, currency])
  const done = useMemo(() => tableRows(candles, marks), [candles, marks])
  return (
    <ChartFigure
      label={label}
      summary={text}
      height={height}
      rows={done}
      keyOf={(row) => row.key}
      columns={[
        { id: 'time', title: 'Time (UTC)', cell: (row) => <MarketTime at={row.time} />, by: (row) => row.time },
        { id: 'what', title: 'What', cell: (row) => row.what, by: (row) => row.what },
        {
          id: 'price',
          title: `Price${currency && `, ${currency}`}`,
          cell: (row) => number(row.price, decimals),
          by: (row) => row.price,
          numeric: true,
        },
      ]}
      legend={
        <span className="chart-legend">
          <span style={{ '--swatch': 'var(--gain)' } as React.CSSProperties}>▲ Bought</span>
          <span style={{ '--swatch': 'var(--loss)' } as React.CSSProperties}>▼ Sold</span>
          {props.stop?.length ? (
            <span className="dashed" style={{ '--swatch': 'var(--warn)' } as React.CSSProperties}>
              Stop
            </span>
          ) : null}
          {props.target?.length ? (
            <span className="dashed" style={{ '--swatch': 'var(--accent)' } as React.CSSProperties}>
              Target
            </span>
          ) : null}
        </span>
      }
    >
      <PriceCanvas {...props} candles={candles} height={height} />
    </ChartFigure>
  )
}

interface Row {
  key: string
  time: number
  what: string
  price: number | null
}

/** What was done, where anything was; the closes otherwise. */
function tableRows(candles: readonly Candle[], marks: readonly Mark[] | undefined): readonly Row[] {
  if (marks?.length)
    return marks.map((mark) => ({
      key: mark.id,
      time: mark.time,
      what: `${mark.side === 'buy' ? 'Bought' : 'Sold'}: ${mark.text}`,
      price: mark.price ?? null,
    }))
  return candles.map((candle) => ({ key: String(candle.time), time: candle.time, what: 'Close', price: candle.close }))
}
