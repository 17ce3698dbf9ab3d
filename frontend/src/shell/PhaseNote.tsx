import { percent } from '../format'
import { useStatus } from '../live/status'
import { MarketTime } from '../parts/MarketTime'
import { PHASES } from './phases'

/** What the run is doing, and the market's clock while it trades. */
export function PhaseNote() {
  const status = useStatus()
  if (!status) return null
  const { phase, phase_text } = status
  const underWay = phase === 'compiling' || phase === 'reading' || phase === 'searching' || phase === 'catching_up'
  const progress = underWay ? status.progress : null
  // The last time of a run that nobody trades yet would look like that of now.
  const market_time = underWay ? null : status.market_time
  return (
    <span className="phase" title={phase_text || PHASES[phase]}>
      <span className={phase === 'failed' ? 'danger' : 'muted'}>
        {PHASES[phase]}
        {progress !== null && ` ${percent(progress, 0)}`}
      </span>
      {market_time !== null && (
        <span className="phase-time muted">
          <span className="hidden">Market time </span>
          <MarketTime at={market_time} /> UTC
        </span>
      )}
      {progress !== null && (
        <span className="phase-bar" aria-hidden>
          <i style={{ transform: `scaleX(${Math.min(1, Math.max(0, progress))})` }} />
        </span>
      )}
    </span>
  )
}
