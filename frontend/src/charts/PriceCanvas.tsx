import { CandlestickSeries, createSeriesMarkers, LineSeries, LineStyle, LineType } from 'lightweight-charts'
import { useEffect, useMemo } from 'react'
import { ChartHost } from './ChartHost'
import { chartTime, lineItems, useCanvas } from './canvas'
import { useFit } from './fit'
import { useMarks } from './marks'
import { barOf } from './points'
import type { PriceChartProps } from './props'

/** How many bars stand around a mark that is brought to the middle. */
const AROUND = 60

export default function PriceCanvas(props: PriceChartProps) {
  const { label, candles, style = 'candles', marks, stop, target, decimals, focus, onMark, height = 320 } = props
  const { host, made } = useCanvas((chart, colours) => {
    const priceFormat = { type: 'price' as const, precision: decimals, minMove: 10 ** -decimals }
    const step = (color: string) =>
      chart.addSeries(LineSeries, {
        color,
        lineWidth: 1,
        lineStyle: LineStyle.Dashed,
        lineType: LineType.WithSteps,
        priceLineVisible: false,
        lastValueVisible: false,
        crosshairMarkerVisible: false,
        priceFormat,
      })
    const bars = chart.addSeries(CandlestickSeries, {
      upColor: colours.gain,
      wickUpColor: colours.gain,
      downColor: colours.loss,
      wickDownColor: colours.loss,
      borderVisible: false,
      priceFormat,
      visible: style === 'candles',
    })
    const line = chart.addSeries(LineSeries, {
      color: colours.accent,
      lineWidth: 2,
      priceFormat,
      visible: style === 'line',
    })
    const shown = style === 'candles' ? bars : line
    return { bars, line, stop: step(colours.warn), target: step(colours.accent), marks: createSeriesMarkers(shown, []) }
  })
  const times = useMemo(() => candles.map((candle) => candle.time), [candles])
  const setInView = useFit()

  useEffect(() => {
    if (!made || made.gone) return
    made.parts.bars.applyOptions({ visible: style === 'candles' })
    made.parts.line.applyOptions({ visible: style === 'line' })
    setInView(made.chart, times, () => {
      made.parts.bars.setData(candles.map((candle) => ({ ...candle, time: chartTime(candle.time) })))
      made.parts.line.setData(lineItems(candles.map((candle) => ({ time: candle.time, value: candle.close }))))
    })
  }, [made, candles, times, style, setInView])

  useEffect(() => {
    if (!made || made.gone) return
    made.parts.stop.setData(lineItems(stop ?? []))
    made.parts.target.setData(lineItems(target ?? []))
  }, [made, stop, target])

  useEffect(() => {
    const mark = marks?.find((each) => each.id === focus)
    const bar = mark && barOf(times, mark.time)
    if (!made || made.gone || bar === undefined || bar === null) return
    const at = times.indexOf(bar)
    made.chart.timeScale().setVisibleLogicalRange({ from: at - AROUND, to: at + AROUND })
  }, [made, focus, marks, times])

  useMarks(made, marks, times, onMark)
  return <ChartHost host={host} chart={made?.chart} label={label} height={height} />
}
