import { Progress } from '@mantine/core'
import { X } from 'lucide-react'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { RightButton } from '../../parts/RightButton'
import { type Summary, useCancel } from './queries'

/** How far a backtest is, in words and as a bar, and a way to call it off. */
export function RunProgress({ run }: { run: Summary }) {
  const cancel = useCancel()
  const percent = Math.round(run.progress * 100)
  return (
    <div className="bt-progress">
      <div className="bt-progress-line">
        <span role="status">
          {run.text}
          {run.state === 'running' && ' …'}
        </span>
        <RightButton
          right="build"
          size="compact-sm"
          variant="default"
          leftSection={<X size={14} aria-hidden />}
          loading={cancel.isPending}
          onClick={() => cancel.mutate(run.id)}
        >
          Cancel
        </RightButton>
      </div>
      <Progress value={percent} size="md" radius={4} aria-label={`Progress of ${run.name}`} transitionDuration={150} />
      {cancel.isError && <ProblemNotice error={cancel.error} />}
    </div>
  )
}
