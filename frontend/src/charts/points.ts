/** A value at a time; null where there is none. Times are milliseconds since 1970, UTC, unless a chart says otherwise. */
export interface Point {
  time: number
  value: number | null
}

export interface Candle {
  time: number
  open: number
  high: number
  low: number
  close: number
}

/** Something that was done: a fill, an exit. */
export interface Mark {
  /** Of whoever draws it: what `focus` and `onMark` speak of. */
  id: string
  time: number
  side: 'buy' | 'sell'
  price?: number
  /** In a few words, for the table: "stop", "take profit", "entry". */
  text: string
}

export interface Series {
  id: string
  name: string
  points: readonly Point[]
}

/** More than a screen has columns for; the server sends no more. */
const MOST_POINTS = 5_000
/** More marks than this in view are a smear. */
const MOST_MARKS = 500
/** More lines than this in one chart have no colour of their own. */
export const MOST_LINES = 6
/** Of the lines of a chart the second three are dashed: six colours alone are not told apart by everyone. */
export const DASHES = [false, false, false, true, true, true] as const

const known = (point: Point): point is { time: number; value: number } =>
  point.value !== null && Number.isFinite(point.value) && Number.isFinite(point.time)

/** Of those that are known, in order of time and one at a time: the last that was said of it. */
export function inOrder<T extends { time: number }>(items: readonly T[]): T[] {
  const sorted = items.filter((item) => Number.isFinite(item.time)).sort((a, b) => a.time - b.time)
  return sorted.filter((item, at) => item.time !== sorted[at + 1]?.time).slice(-MOST_POINTS)
}

/** Below the highest so far, as a share that is not positive; null where the value is not known. */
export function drawdowns(points: readonly Point[]): Point[] {
  let peak = Number.NEGATIVE_INFINITY
  return points.map((point) => {
    if (!known(point)) return { time: point.time, value: null }
    peak = Math.max(peak, point.value)
    return { time: point.time, value: peak > 0 ? point.value / peak - 1 : null }
  })
}

/** Scaled so that it has this value at the first known point at or after a time. */
export function rebased(points: readonly Point[], from: number, to: number): Point[] {
  const base = points.find((point) => known(point) && point.time >= from)?.value
  if (!base) return points.map((point) => ({ time: point.time, value: null }))
  return points.map((point) => ({ time: point.time, value: point.value === null ? null : (point.value / base) * to }))
}

/** The first known value at or after a time. */
export const valueFrom = (points: readonly Point[], from: number): number | null =>
  points.find((point) => known(point) && point.time >= from)?.value ?? null

interface Extremes {
  first: { time: number; value: number }
  last: { time: number; value: number }
  low: { time: number; value: number }
  high: { time: number; value: number }
}

/** For a summary in words; null where nothing is known. */
export function extremes(points: readonly Point[]): Extremes | null {
  const values = points.filter(known)
  const first = values[0]
  const last = values.at(-1)
  if (!first || !last) return null
  let [low, high] = [first, first]
  for (const point of values) {
    if (point.value < low.value) low = point
    if (point.value > high.value) high = point
  }
  return { first, last, low, high }
}

/** Every so many, the last always: for a table of what a chart shows. */
export function thinned<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items
  const step = (items.length - 1) / (most - 1)
  return Array.from({ length: most }, (_, at) => items[Math.round(at * step)] as T)
}

/** The marks in a span of time, evenly thinned where they are too many; and how many there are. */
export function marksIn(marks: readonly Mark[], from: number, to: number): { shown: readonly Mark[]; among: number } {
  const inside = marks.filter((mark) => mark.time >= from && mark.time <= to)
  return { shown: thinned(inside, MOST_MARKS), among: inside.length }
}

/** The time of the bar that a moment falls into: the last that is not after it. */
export function barOf(times: readonly number[], moment: number): number | null {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] as number) <= moment) low = middle + 1
    else high = middle
  }
  return low === 0 ? null : (times[low - 1] as number)
}

/** Points and behind them a newer one, where there is one. */
export function withNow(points: readonly Point[], now: Point | null | undefined): readonly Point[] {
  const last = points.at(-1)
  if (!now || now.value === null || (last && now.time < last.time)) return points
  return [...(last?.time === now.time ? points.slice(0, -1) : points), now]
}
