import { useMemo } from 'react'
import { useFeed } from '../../live/status'
import { FeedLines } from '../../parts/FeedLines'

const MOST = 60

/** What happened, in words, the newest first. */
export function Activity() {
  const lines = useFeed()
  const newest = useMemo(() => lines.slice(-MOST).reverse(), [lines])
  return (
    <FeedLines lines={newest} label="The newest facts of the journal" empty="Nothing has happened yet." height={300} />
  )
}
