import { describe, expect, it } from 'vitest'
import { barOf, drawdowns, extremes, inOrder, type Mark, marksIn, rebased, thinned, withNow } from './points'

const line = (...values: (number | null)[]) => values.map((value, time) => ({ time, value }))

describe('points', () => {
  it('one at a time, in order, the last that was said', () => {
    expect(
      inOrder([
        { time: 2, value: 1 },
        { time: 1, value: 5 },
        { time: 2, value: 3 },
        { time: Number.NaN, value: 9 },
      ]),
    ).toEqual([
      { time: 1, value: 5 },
      { time: 2, value: 3 },
    ])
  })

  it('drawdowns from the highest so far', () => {
    expect(drawdowns(line(100, 110, 99, null, 121, 60.5)).map((point) => point.value)).toEqual([
      0,
      0,
      99 / 110 - 1,
      null,
      0,
      -0.5,
    ])
    expect(drawdowns(line(0, -1)).map((point) => point.value)).toEqual([null, null])
  })

  it('a benchmark begins where what is seen begins', () => {
    expect(rebased(line(50, 100, 150), 1, 10).map((point) => point.value)).toEqual([5, 10, 15])
    expect(rebased(line(null, 4, 8), 0, 100).map((point) => point.value)).toEqual([null, 100, 200])
    expect(rebased(line(1, 2), 9, 100).map((point) => point.value)).toEqual([null, null])
  })

  it('extremes of what is known', () => {
    expect(extremes(line(null, 3, 1, 2))).toEqual({
      first: { time: 1, value: 3 },
      last: { time: 3, value: 2 },
      low: { time: 2, value: 1 },
      high: { time: 1, value: 3 },
    })
    expect(extremes(line(null))).toBeNull()
  })

  it('thinned to a number, both ends kept', () => {
    const all = Array.from({ length: 1001 }, (_, at) => at)
    expect(thinned(all, 11)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000])
    expect(thinned([1, 2], 5)).toEqual([1, 2])
  })

  it('marks in view', () => {
    const marks: Mark[] = Array.from({ length: 1200 }, (_, time) => ({ id: `${time}`, time, side: 'buy', text: '' }))
    expect(marksIn(marks, 10, 12)).toEqual({ shown: marks.slice(10, 13), among: 3 })
    expect(marksIn(marks, 0, 2000).shown.length).toBe(500)
    expect(marksIn(marks, 0, 2000).among).toBe(1200)
  })

  it('the bar of a moment', () => {
    expect([5, 10, 19, 20, 99].map((moment) => barOf([10, 20, 30], moment))).toEqual([null, 10, 10, 20, 30])
  })
})

describe('the newest of all', () => {
  const points = [
    { time: 1, value: 10 },
    { time: 2, value: 11 },
  ]

  it('comes behind the last point, or in its place', () => {
    expect(withNow(points, { time: 3, value: 12 }).at(-1)).toEqual({ time: 3, value: 12 })
    expect(withNow(points, { time: 2, value: 12 })).toEqual([points[0], { time: 2, value: 12 }])
    expect(points).toHaveLength(2)
  })

  it('is no point where it is older, unknown or not there', () => {
    for (const now of [{ time: 1, value: 5 }, { time: 3, value: null }, null, undefined])
      expect(withNow(points, now)).toBe(points)
  })
})
