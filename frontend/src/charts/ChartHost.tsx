import type { IChartApi } from 'lightweight-charts'
import type { RefObject } from 'react'
import { chartKeys } from './canvas'

/** The element in which a chart is drawn. Its attribution is a link, so that it cannot be an image to a reader. */
export function ChartHost({
  host,
  chart,
  label,
  height,
}: {
  host: RefObject<HTMLDivElement | null>
  chart: IChartApi | undefined
  label: string
  height: number
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would say that something is to be filled in
    <div
      role="group"
      aria-label={`${label}: arrow keys move, plus and minus zoom, Home shows all`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it moves and zooms by keyboard
      tabIndex={0}
      className="chart-host"
      style={{ height }}
      ref={host}
      onKeyDown={(event) => {
        if (!event.ctrlKey && !event.metaKey && chartKeys(chart, event.key)) event.preventDefault()
      }}
    />
  )
}
