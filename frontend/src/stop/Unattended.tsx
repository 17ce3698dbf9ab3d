import type { Schema } from '../api/client'
import { sentence } from '../format'
import { Words } from '../parts/Words'

/** What nobody is at work on and that still holds something: no order reaches it. */
export function Unattended({ runs }: { runs: Schema<'Unattended'>[] }) {
  if (!runs.length) return null
  return (
    <ul className="stop-unattended warn" aria-label="What no order reaches">
      {runs.map((run) => (
        <li key={`${run.kind} ${run.run}`}>
          ⚠ <Words text={`${sentence(run.text)}.`} />
        </li>
      ))}
    </ul>
  )
}
