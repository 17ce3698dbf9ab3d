import { useEffect, useRef } from 'react'
import { BacktestPanel } from '../backtests/BacktestPanel'

/** How long a result that grows is kept in sight, unless the person goes somewhere else, milliseconds. */
const FOLLOWING = 30_000

/** The backtest of what is edited. It is brought into sight as it grows, until the person scrolls or presses a key. */
export function BacktestPlace({ text }: { text: string }) {
  const place = useRef<HTMLElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text is another backtest to be followed
  useEffect(() => {
    const section = place.current
    if (!section) return
    const show = () => section.scrollIntoView({ block: 'start' })
    const growth = new ResizeObserver(show)
    const end = () => growth.disconnect()
    growth.observe(section)
    show()
    const timer = setTimeout(end, FOLLOWING)
    const leaving = ['wheel', 'keydown', 'pointerdown', 'touchmove'] as const
    for (const kind of leaving) window.addEventListener(kind, end, { passive: true })
    return () => {
      end()
      clearTimeout(timer)
      for (const kind of leaving) window.removeEventListener(kind, end)
    }
  }, [text])
  return (
    <section ref={place} className="build-backtest" aria-label="Backtest">
      <BacktestPanel text={text} />
    </section>
  )
}
