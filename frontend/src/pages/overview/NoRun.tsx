import { Progress } from '@mantine/core'
import { percent } from '../../format'
import type { Status } from '../../live/status'
import { CopyButton } from '../../parts/CopyButton'
import { Empty } from '../../parts/Empty'
import { PHASES } from '../../shell/phases'

const STEPS: readonly { phase: Status['phase']; name: string; text: string }[] = [
  { phase: 'compiling', name: 'Compile', text: 'the engine, for this machine, once' },
  { phase: 'reading', name: 'Read', text: 'the market, and check it' },
  { phase: 'searching', name: 'Search', text: 'try every strategy on the earlier bars, and count each trial' },
  { phase: 'trading', name: 'Trade', text: 'hire the best on paper, on bars that none of them has seen' },
]

/** Before the first run: what is happening, or how to begin. No number is shown that is none. */
export function NoRun({ status }: { status: Status }) {
  const { phase, phase_text, progress } = status
  const at = STEPS.findIndex((step) => step.phase === (phase === 'catching_up' ? 'trading' : phase))
  if (at < 0)
    return (
      <Empty
        title={phase === 'failed' ? 'The run has failed' : 'No run yet'}
        action={
          <p className="no-run-command">
            <code>clawd up</code>
            <CopyButton text="clawd up" label="Copy the command" />
          </p>
        }
      >
        {sentence(phase_text)} This page shows equity, profit, risk and what needs you while agents trade on paper. To
        begin, run this where clawd is installed:
      </Empty>
    )
  return (
    <section className="card no-run" aria-label="What is happening">
      <h2>{PHASES[phase]} …</h2>
      <p role="status">{sentence(phase_text)}</p>
      <Progress
        value={progress === null ? 100 : progress * 100}
        animated={progress === null}
        striped={progress === null}
        aria-label={`${PHASES[phase]}: ${progress === null ? 'under way' : percent(progress, 0)}`}
      />
      <ol className="no-run-steps">
        {STEPS.map((step, place) => (
          <li
            key={step.phase}
            className={place < at ? 'done' : place === at ? 'now' : ''}
            aria-current={place === at ? 'step' : undefined}
          >
            <span aria-hidden>{place < at ? '✓' : place === at ? '▶' : '○'}</span>
            <span>
              <b>{step.name}</b> {step.text}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}

export function sentence(text: string): string {
  if (!text) return ''
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`
}
