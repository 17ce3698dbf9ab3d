import { utc } from '../../format'
import { MarketTime } from '../../parts/MarketTime'
import { barMilliseconds } from './words'

/** The open of a bar, UTC: its date alone where bars are days or longer. */
export function BarTime({ at, bar }: { at: number; bar: string }) {
  if (barMilliseconds(bar) < 864e5 || at % 864e5 !== 0) return <MarketTime at={at} />
  return (
    <time className="market-time" dateTime={utc(at).slice(0, 10)}>
      {utc(at).slice(0, 10)}
    </time>
  )
}
