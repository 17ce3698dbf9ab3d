import {
  type AutoscaleInfo,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  PriceScaleMode,
} from 'lightweight-charts'
import { useEffect } from 'react'
import { number } from '../format'
import { ChartHost } from './ChartHost'
import { lineItems, useCanvas } from './canvas'
import { DASHES, inOrder } from './points'
import type { LinesProps } from './props'

export default function LinesCanvas(props: LinesProps) {
  const { label, series, logarithmic = false, level, axis = 'time', decimals = 2, height = 300 } = props
  const { host, made } = useCanvas((chart) => {
    chart.priceScale('right').applyOptions({ mode: logarithmic ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal })
    return {}
  }, axis)

  useEffect(() => {
    if (!made || made.gone) return
    const lines: ISeriesApi<'Line'>[] = series.map((one, at) => {
      const line = made.chart.addSeries(LineSeries, {
        color: made.colours.lines[at] ?? made.colours.text,
        lineWidth: 2,
        lineStyle: DASHES[at] ? LineStyle.Dashed : LineStyle.Solid,
        priceLineVisible: false,
        priceFormat: {
          type: 'custom',
          formatter: (value: number) => number(value, decimals),
          minMove: 10 ** -decimals,
        },
      })
      line.setData(lineItems(inOrder(one.points), axis))
      return line
    })
    let drawn: IPriceLine | undefined
    if (level && lines[0]) {
      drawn = lines[0].createPriceLine({
        price: level.value,
        color: made.colours.warn,
        lineWidth: 2,
        lineStyle: LineStyle.Dashed,
        axisLabelVisible: true,
        title: level.name,
      })
      // A level that no line has reached is seen all the same.
      lines[0].applyOptions({
        autoscaleInfoProvider: (original: () => AutoscaleInfo | null) => {
          const range = original()
          if (!range?.priceRange) return range
          const { minValue, maxValue } = range.priceRange
          return {
            ...range,
            priceRange: { minValue: Math.min(minValue, level.value), maxValue: Math.max(maxValue, level.value) },
          }
        },
      })
    }
    made.chart.timeScale().fitContent()
    return () => {
      if (made.gone) return
      if (drawn) lines[0]?.removePriceLine(drawn)
      for (const line of lines) made.chart.removeSeries(line)
    }
  }, [made, series, level, axis, decimals])

  return <ChartHost host={host} chart={made?.chart} label={label} height={height} />
}
