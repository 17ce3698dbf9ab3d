import { Pause, Play } from 'lucide-react'
import type { Schema } from '../../api/client'
import { utc } from '../../format'
import type { AgentState } from '../../live/frames'
import { RightButton } from '../../parts/RightButton'
import { OVER, PAUSED } from './pausing'

/** Whether a person has paused it, who and why; and the way to pause it, or to let it go on. */
export function AgentPause({
  agent,
  state,
  onAsk,
}: {
  agent: Schema<'AgentDetail'>
  state: AgentState
  onAsk: (pause: boolean) => void
}) {
  if (OVER.includes(state)) return null
  const paused = PAUSED.includes(state)
  const { pause } = agent
  return (
    <div className="agent-pause">
      {paused ? (
        <span>
          <b>It enters nothing; its exits live on.</b>{' '}
          {pause?.paused && (
            <span className="muted">
              Paused by <bdi>{pause.by}</bdi> at {utc(pause.at)} UTC
              {pause.why && (
                <>
                  : <bdi>{pause.why}</bdi>
                </>
              )}
            </span>
          )}
        </span>
      ) : (
        <span className="muted">Pausing keeps it from entering; what it holds stays, with its exits.</span>
      )}
      <RightButton
        right="decide"
        size="compact-sm"
        variant="default"
        leftSection={paused ? <Play size={14} /> : <Pause size={14} />}
        onClick={() => onAsk(!paused)}
      >
        {paused ? 'Unpause' : 'Pause'}
      </RightButton>
    </div>
  )
}
