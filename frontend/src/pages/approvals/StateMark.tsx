import { type Approval, STATES } from './words'

/** Where a request stands: a shape, a word, and a colour. */
export function StateMark({ state }: { state: Approval['state'] }) {
  const { glyph, word, tone } = STATES[state]
  return (
    <span className={`approvals-state approvals-${tone}`}>
      <span aria-hidden="true">{glyph}</span> {word}
    </span>
  )
}
