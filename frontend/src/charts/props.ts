import type { Candle, Mark, Point, Series } from './points'

// What a chart is given, and what it hands to the canvas that it loads when it is drawn.

export interface EquityChartProps {
  /** What is drawn, for who cannot see it: "Equity of the fleet". */
  label: string
  equity: readonly Point[]
  /** Rebased to the equity where what is seen begins. */
  benchmark?: readonly Point[]
  benchmarkName?: string
  /** Shares that are not positive, where they are known better than from the highest equity so far. */
  drawdown?: readonly Point[]
  fills?: readonly Mark[]
  currency: string
  /** What it shows, in words, where somebody has said it already. */
  told?: string
  /** Newer than the last point: drawn as it comes. */
  now?: Point | null
  height?: number
  onMark?: (id: string) => void
}

export interface PriceChartProps {
  /** "BTC with the fills of a001". */
  label: string
  candles: readonly Candle[]
  style?: 'candles' | 'line'
  /** Fills and exits. */
  marks?: readonly Mark[]
  /** Where the stop stood, as it moved; null where there was none. */
  stop?: readonly Point[]
  target?: readonly Point[]
  /** Digits after the point, from the instrument's tick. */
  decimals: number
  currency?: string
  /** The id of a mark that is brought to the middle. */
  focus?: string | null
  onMark?: (id: string) => void
  height?: number
}

export interface LinesProps {
  label: string
  summary: string
  series: readonly Series[]
  logarithmic?: boolean
  /** A level that matters, and what it is called. */
  level?: { value: number; name: string } | undefined
  /** Whether a point's time is milliseconds or just a count, such as the number of observations. */
  axis?: 'time' | 'index'
  axisName?: string
  decimals?: number
  height?: number
}
