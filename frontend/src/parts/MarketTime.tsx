import { UNKNOWN, utc } from '../format'

/** A time of the market, always in UTC; to the minute unless seconds matter. */
export function MarketTime({ at, seconds = false }: { at: number | null | undefined; seconds?: boolean }) {
  if (at === null || at === undefined) return <>{UNKNOWN}</>
  return (
    <time className="market-time" dateTime={new Date(at).toISOString()} title={`${utc(at)} UTC`}>
      {utc(at).slice(0, seconds ? 19 : 16)}
    </time>
  )
}
