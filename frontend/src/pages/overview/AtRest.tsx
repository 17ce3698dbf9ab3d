import { Play, RotateCcw } from 'lucide-react'
import type { Status } from '../../live/status'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { RightButton } from '../../parts/RightButton'
import { useRestart } from './process'

/** Nobody trades this run any more: why, and how it goes on. */
export function AtRest({ phase, text }: { phase: Status['phase']; text: string }) {
  const ended = phase === 'ended'
  const restart = useRestart(() => (ended ? 'A new run begins.' : 'It goes on from its journal.'))
  if (phase !== 'ended' && phase !== 'stopped') return null
  return (
    <section className="card at-rest" aria-label="How it goes on">
      <p>
        <strong>{ended ? 'The run has ended' : 'Nobody trades this run'}</strong>
        {text && `: ${text}`}. {ended ? 'It stays as it is under Runs when another begins; nothing is deleted.' : ''}
      </p>
      <RightButton
        right="decide"
        variant="default"
        size="compact-sm"
        leftSection={ended ? <RotateCcw size={14} /> : <Play size={14} />}
        loading={restart.isPending}
        onClick={() => restart.mutate({ fresh: ended })}
      >
        {ended ? 'Begin again' : 'Go on'}
      </RightButton>
      {restart.error && <ProblemNotice error={restart.error} />}
    </section>
  )
}
