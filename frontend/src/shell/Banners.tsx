import { WifiOff, XCircle } from 'lucide-react'
import { age } from '../format'
import { useLink, useStatus } from '../live/status'
import { Stopped } from './Stopped'

/** What nobody may overlook, under the header of every page. */
export function Banners() {
  const link = useLink()
  const status = useStatus()
  const silent = (link.state === 'stale' || link.state === 'reconnecting') && link.age >= 2
  return (
    <>
      {status && <Stopped standing={status.standing} />}
      {status?.phase === 'failed' && (
        <div className="banner danger-line" role="alert">
          <XCircle size={16} aria-hidden />
          <strong>The run has failed</strong>
          <span>{status.phase_text}</span>
        </div>
      )}
      {silent && (
        <div className="banner warn-line" data-testid="silent">
          <WifiOff size={16} aria-hidden />
          <span>
            The server was last heard {age(link.age * 1000)} ago, and what is dimmed here is as old. This page tries
            again by itself.
          </span>
        </div>
      )}
    </>
  )
}
