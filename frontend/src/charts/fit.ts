import type { IChartApi } from 'lightweight-charts'
import { useRef, useState } from 'react'

/** Of the width, what is left free before the first bar: the date under it would be cut off. */
const ROOM = 0.025

/** How many bars may be out of sight at an end for a chart to count as seen in whole. */
const SLACK = 3

/**
 * Whether all of a chart is to be shown after its data were set: where all of it was in sight before, and where it is
 * another chart or other data. Who has moved or zoomed it keeps what he looks at.
 */
export function useFit(): (chart: IChartApi, times: readonly number[], set: () => void) => void {
  const before = useRef<{ chart: IChartApi | null; first: number | undefined; many: number }>({
    chart: null,
    first: undefined,
    many: 0,
  })
  const [fit] = useState(() => (chart: IChartApi, times: readonly number[], set: () => void) => {
    const { chart: of, first, many } = before.current
    const range = of === chart ? chart.timeScale().getVisibleLogicalRange() : null
    const whole = !range || (range.from <= SLACK && range.to >= many - 1 - SLACK)
    set()
    if (times.length === 0) return
    if (whole || first !== times[0] || times.length < many)
      chart.timeScale().setVisibleLogicalRange({ from: -0.5 - ROOM * times.length, to: times.length - 0.5 })
    before.current = { chart, first: times[0], many: times.length }
  })
  return fit
}
