import { useEffect, useState } from 'react'
import { age, UNKNOWN, utc } from '../format'

/** How long ago something was by this machine's clock: "12 s ago"; the time itself on hover. */
export function Age({ at }: { at: number | null | undefined }) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(ticking)
  }, [])
  if (at === null || at === undefined) return <>{UNKNOWN}</>
  return (
    <time dateTime={new Date(at).toISOString()} title={`${utc(at)} UTC`}>
      {now - at < 2000 ? 'just now' : `${age(now - at)} ago`}
    </time>
  )
}
