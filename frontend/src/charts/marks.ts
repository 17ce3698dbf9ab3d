import type { IChartApi, ISeriesMarkersPluginApi, MouseEventParams, SeriesMarker, Time } from 'lightweight-charts'
import { useEffect } from 'react'
import { type Colours, chartTime, type Made } from './canvas'
import { barOf, type Mark, marksIn } from './points'

/** Draws the marks that are in view, at the bar into which each falls; a click on one says which. */
export function useMarks(
  made: Made<{ marks: ISeriesMarkersPluginApi<Time> }> | null,
  marks: readonly Mark[] | undefined,
  times: readonly number[],
  onMark: ((id: string) => void) | undefined,
): void {
  useEffect(() => {
    if (!made || made.gone) return
    if (!marks?.length) {
      made.parts.marks.setMarkers([])
      return
    }
    const placed = [...marks].sort((a, b) => a.time - b.time)
    let frame = 0
    const draw = () => {
      frame = 0
      const [from, to] = inView(made.chart)
      const { shown } = marksIn(placed, from, to)
      made.parts.marks.setMarkers(shown.flatMap((mark) => drawn(mark, times, made.colours)))
    }
    const soon = () => {
      frame ||= requestAnimationFrame(draw)
    }
    draw()
    const scale = made.chart.timeScale()
    scale.subscribeVisibleLogicalRangeChange(soon)
    return () => {
      cancelAnimationFrame(frame)
      if (!made.gone) scale.unsubscribeVisibleLogicalRangeChange(soon)
    }
  }, [made, marks, times])

  useEffect(() => {
    if (!made || made.gone || !onMark) return
    const clicked = (event: MouseEventParams<Time>) => {
      if (typeof event.hoveredObjectId === 'string') onMark(event.hoveredObjectId)
    }
    made.chart.subscribeClick(clicked)
    return () => {
      if (!made.gone) made.chart.unsubscribeClick(clicked)
    }
  }, [made, onMark])
}

function inView(chart: IChartApi): [number, number] {
  const range = chart.timeScale().getVisibleRange()
  return range ? [Number(range.from) * 1000, Number(range.to) * 1000 + 86_400_000] : [0, Number.POSITIVE_INFINITY]
}

function drawn(mark: Mark, times: readonly number[], colours: Colours): SeriesMarker<Time>[] {
  const time = barOf(times, mark.time)
  if (time === null) return []
  const buys = mark.side === 'buy'
  return [
    {
      id: mark.id,
      time: chartTime(time),
      position: buys ? 'belowBar' : 'aboveBar',
      shape: buys ? 'arrowUp' : 'arrowDown',
      color: buys ? colours.gain : colours.loss,
      size: 1,
    },
  ]
}
