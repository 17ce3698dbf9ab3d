import { AreaSeries, BaselineSeries, createSeriesMarkers, LineSeries, LineStyle } from 'lightweight-charts'
import { useEffect, useMemo } from 'react'
import { money, percent } from '../format'
import { ChartHost } from './ChartHost'
import { chartTime, lineItems, useCanvas } from './canvas'
import { useFit } from './fit'
import { useMarks } from './marks'
import { drawdowns, type Point, rebased, valueFrom } from './points'
import type { EquityChartProps } from './props'

const NONE: readonly Point[] = []

export default function EquityCanvas({
  label,
  equity,
  benchmark = NONE,
  drawdown,
  fills,
  now,
  height = 320,
  onMark,
}: EquityChartProps) {
  const { host, made } = useCanvas((chart, colours) => {
    const equity = chart.addSeries(AreaSeries, {
      lineColor: colours.accent,
      topColor: `${colours.accent}3a`,
      bottomColor: `${colours.accent}05`,
      lineWidth: 2,
      priceFormat: { type: 'custom', formatter: (value: number) => money(value), minMove: 0.01 },
    })
    const beside = chart.addSeries(LineSeries, {
      color: colours.faint,
      lineWidth: 1,
      lineStyle: LineStyle.Dashed,
      priceLineVisible: false,
      lastValueVisible: false,
      crosshairMarkerVisible: false,
    })
    const below = chart.addSeries(
      BaselineSeries,
      {
        baseValue: { type: 'price', price: 0 },
        topLineColor: 'transparent',
        topFillColor1: 'transparent',
        topFillColor2: 'transparent',
        bottomLineColor: colours.loss,
        bottomFillColor1: `${colours.loss}10`,
        bottomFillColor2: `${colours.loss}50`,
        lineWidth: 1,
        priceLineVisible: false,
        priceFormat: {
          type: 'custom',
          formatter: (value: number) => percent(value / 100),
          minMove: 0.1,
        },
      },
      1,
    )
    chart.panes()[0]?.setStretchFactor(3)
    chart.panes()[1]?.setStretchFactor(1)
    return { equity, beside, below, marks: createSeriesMarkers(equity, []) }
  })
  const times = useMemo(() => equity.map((point) => point.time), [equity])
  const setInView = useFit()

  useEffect(() => {
    if (!made || made.gone) return
    setInView(made.chart, times, () => {
      made.parts.equity.setData(lineItems(equity))
      made.parts.below.setData(lineItems(drawdown ?? drawdowns(equity), 'time', 100))
    })
  }, [made, equity, times, drawdown, setInView])

  // What is seen begins anew wherever it is dragged to, and the benchmark with it.
  useEffect(() => {
    if (!made || made.gone || benchmark.length === 0) return
    const scale = made.chart.timeScale()
    let [drawn, frame] = [Number.NaN, 0]
    const draw = () => {
      frame = 0
      const seen = scale.getVisibleRange()
      const from = Math.max(seen ? Number(seen.from) * 1000 : 0, equity[0]?.time ?? 0)
      const value = valueFrom(equity, from)
      if (from === drawn || value === null) return
      drawn = from
      made.parts.beside.setData(lineItems(rebased(benchmark, from, value)))
    }
    const soon = () => {
      frame ||= requestAnimationFrame(draw)
    }
    draw()
    scale.subscribeVisibleLogicalRangeChange(soon)
    return () => {
      cancelAnimationFrame(frame)
      if (!made.gone) scale.unsubscribeVisibleLogicalRangeChange(soon)
    }
  }, [made, equity, benchmark])

  useEffect(() => {
    const last = equity.at(-1)
    if (!made || made.gone || !now || now.value === null || (last && now.time < last.time)) return
    made.parts.equity.update({ time: chartTime(now.time), value: now.value })
  }, [made, now, equity])

  useMarks(made, fills, times, onMark)
  return <ChartHost host={host} chart={made?.chart} label={label} height={height} />
}
