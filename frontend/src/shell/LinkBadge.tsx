import { useEffect } from 'react'
import { age } from '../format'
import { type Link, useLink } from '../live/status'

/** How fresh what is shown is: a shape, a word and an age. */
export function LinkBadge() {
  const link = useLink()
  useEffect(() => {
    document.documentElement.dataset.link = link.state
  }, [link.state])
  return (
    <span className={`link-badge ${link.state}`} data-testid="link" role="status">
      <span aria-hidden>{SHAPES[link.state]}</span> <span className="no-phone">{WORDS[link.state]}</span>
      <span className="phone-only" aria-hidden>
        {SHORT[link.state]}
      </span>
      {link.age > 0 && <span className="link-age"> {age(link.age * 1000)}</span>}
    </span>
  )
}

const SHAPES: Record<Link['state'], string> = { live: '●', stale: '◐', reconnecting: '○', connecting: '○' }
const WORDS: Record<Link['state'], string> = {
  live: 'Live',
  stale: 'Stale',
  reconnecting: 'Reconnecting',
  connecting: 'Connecting',
}
/** A phone has no room for long words beside the mode. */
const SHORT: Record<Link['state'], string> = { live: 'Live', stale: 'Stale', reconnecting: 'Lost', connecting: '…' }
