import type { FeedLine } from '../live/frames'
import { MarketTime } from './MarketTime'
import './feed.css'

const SIGNS: Record<FeedLine['tone'], string> = { plain: '·', gain: '▲', loss: '▼', warn: '!', danger: '■' }

/** Facts of the journal in words. */
export function FeedLines({
  lines,
  label,
  empty,
  height,
}: {
  lines: readonly FeedLine[]
  label: string
  empty: string
  height?: number
}) {
  if (lines.length === 0) return <p className="muted">{empty}</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls has to be reached by keyboard
    <section className="feed" style={{ maxHeight: height }} aria-label={label} tabIndex={0}>
      <ol>
        {lines.map((line) => (
          <li key={line.seq}>
            <span className={`feed-sign ${line.tone}`} aria-hidden>
              {SIGNS[line.tone]}
            </span>
            <span className="feed-text">{line.text}</span>
            <span className="feed-time">
              <MarketTime at={line.time} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
