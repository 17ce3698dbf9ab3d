import { ColorType, createChart, type IChartApi, type UTCTimestamp, type WhitespaceData } from 'lightweight-charts'
import { type RefObject, useEffect, useRef, useState } from 'react'
import { useAppearance } from '../shell/appearance'
import type { Point } from './points'

/** The tokens of the theme, as a canvas needs them. */
export interface Colours {
  surface: string
  grid: string
  border: string
  text: string
  faint: string
  accent: string
  gain: string
  loss: string
  warn: string
  /** Six that are told apart, by order of the series. */
  lines: readonly string[]
}

function coloursNow(): Colours {
  const style = getComputedStyle(document.documentElement)
  const of = (token: string) => style.getPropertyValue(token).trim()
  return {
    surface: of('--surface-1'),
    grid: of('--surface-2'),
    border: of('--border'),
    text: of('--text-2'),
    faint: of('--text-3'),
    accent: of('--accent'),
    gain: of('--gain'),
    loss: of('--loss'),
    warn: of('--warn'),
    lines: [1, 2, 3, 4, 5, 6].map((line) => of(`--line-${line}`)),
  }
}

export interface Made<Parts> {
  chart: IChartApi
  colours: Colours
  parts: Parts
  /** What was hung on it went with it. */
  gone: boolean
}

/** A chart in an element, made anew when the theme changes. `made` is null until it is there. */
export function useCanvas<Parts>(
  make: (chart: IChartApi, colours: Colours) => Parts,
  axis: 'time' | 'index' = 'time',
): { host: RefObject<HTMLDivElement | null>; made: Made<Parts> | null } {
  const { shown, profitColours } = useAppearance()
  const host = useRef<HTMLDivElement>(null)
  const [made, setMade] = useState<Made<Parts> | null>(null)
  const making = useRef(make)
  const theme = `${shown} ${profitColours}`
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read from the page, and follow the theme
  useEffect(() => {
    const element = host.current
    if (!element) return
    const colours = coloursNow()
    const chart = createChart(element, {
      autoSize: true,
      layout: {
        background: { type: ColorType.Solid, color: colours.surface },
        textColor: colours.text,
        fontFamily: 'Inter Variable, system-ui, sans-serif',
        fontSize: 11,
        panes: { separatorColor: colours.border },
        attributionLogo: true,
      },
      grid: { vertLines: { color: colours.grid }, horzLines: { color: colours.grid } },
      rightPriceScale: { borderColor: colours.border },
      timeScale: {
        borderColor: colours.border,
        timeVisible: true,
        secondsVisible: false,
        minBarSpacing: 0.01,
        ...(axis === 'index' ? { tickMarkFormatter: (time: number) => String(time) } : {}),
      },
      crosshair: {
        vertLine: { color: colours.faint, labelBackgroundColor: colours.faint },
        horzLine: { color: colours.faint, labelBackgroundColor: colours.faint },
      },
      localization: axis === 'index' ? { timeFormatter: (time: number) => String(time) } : {},
      // The wheel belongs to the page until the chart is chosen.
      handleScroll: { mouseWheel: false, vertTouchDrag: false },
      handleScale: { mouseWheel: false },
    })
    const parts = making.current(chart, colours)
    const made = { chart, colours, parts, gone: false }
    setMade(made)
    const end = wheelWhenChosen(element, chart)
    return () => {
      end()
      made.gone = true
      setMade(null)
      chart.remove()
    }
  }, [theme, axis])
  return { host, made }
}

function wheelWhenChosen(element: HTMLElement, chart: IChartApi): () => void {
  const wheel = (on: boolean) => () =>
    chart.applyOptions({ handleScroll: { mouseWheel: on }, handleScale: { mouseWheel: on } })
  const [chosen, left] = [wheel(true), wheel(false)]
  element.addEventListener('focusin', chosen)
  element.addEventListener('focusout', left)
  return () => {
    element.removeEventListener('focusin', chosen)
    element.removeEventListener('focusout', left)
  }
}

/** Arrow keys move along the chart, plus and minus look closer and further, Home shows all of it. */
export function chartKeys(chart: IChartApi | undefined, key: string): boolean {
  const scale = chart?.timeScale()
  const range = scale?.getVisibleLogicalRange()
  if (!scale || !range) return false
  const span = range.to - range.from
  const show = (from: number, to: number) => scale.setVisibleLogicalRange({ from, to })
  if (key === 'ArrowLeft') show(range.from - span / 10, range.to - span / 10)
  else if (key === 'ArrowRight') show(range.from + span / 10, range.to + span / 10)
  else if (key === '+' || key === '=') show(range.from + span / 10, range.to - span / 10)
  else if (key === '-') show(range.from - span / 8, range.to + span / 8)
  else if (key === 'Home') scale.fitContent()
  else return false
  return true
}

/** The chart counts seconds. */
export const chartTime = (time: number, axis: 'time' | 'index' = 'time') =>
  Math.floor(axis === 'time' ? time / 1000 : time) as UTCTimestamp

type LineItem = { time: UTCTimestamp; value: number } | WhitespaceData<UTCTimestamp>

/** Points as the chart takes them: ascending, one a second, gaps where nothing is known. */
export function lineItems(points: readonly Point[], axis: 'time' | 'index' = 'time', times = 1): LineItem[] {
  const items: LineItem[] = []
  for (const point of points) {
    const time = chartTime(point.time, axis)
    const item = point.value === null || !Number.isFinite(point.value) ? { time } : { time, value: point.value * times }
    const last = items.at(-1)
    if (last && last.time === time) items[items.length - 1] = item
    else if (!last || last.time < time) items.push(item)
  }
  return items
}
