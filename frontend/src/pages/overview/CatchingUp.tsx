import { Progress } from '@mantine/core'
import { percent } from '../../format'
import type { Status } from '../../live/status'
import { PHASES } from '../../shell/phases'
import { sentence } from './NoRun'

/** While the journal of a run is read again: how far. Its figures are of the past until then, and none is shown. */
export function CatchingUp({ status: { run, phase, phase_text, progress } }: { status: Status }) {
  return (
    <section className="card no-run" aria-label="What is happening" data-testid="catching-up">
      <h2>{PHASES[phase]} …</h2>
      <p role="status">
        {sentence(phase_text)} Until its end has been read, nothing is known of how {run ?? 'the run'} stands now;
        whatever trades goes on meanwhile.
      </p>
      <Progress
        value={progress === null ? 100 : progress * 100}
        animated={progress === null}
        striped={progress === null}
        aria-label={`${PHASES[phase]}: ${progress === null ? 'under way' : percent(progress, 0)}`}
      />
    </section>
  )
}
