import type { State } from './queries'
import { STATES } from './words'

export function StateBadge({ state }: { state: State }) {
  const { mark, word, tone } = STATES[state]
  return (
    <span className={`bt-state ${tone}`}>
      <span aria-hidden>{mark} </span>
      {word}
    </span>
  )
}
