import { Button } from '@mantine/core'
import { OctagonX, WifiOff } from 'lucide-react'
import { Link } from 'react-router'
import { age } from '../format'
import { useLink, useStatus } from '../live/status'
import { STANDINGS } from './standings'

/** What nobody may overlook, under the header of every page. */
export function Banners() {
  const link = useLink()
  const status = useStatus()
  const standing = status && status.standing !== 'active' ? STANDINGS[status.standing] : null
  const silent = (link.state === 'stale' || link.state === 'reconnecting') && link.age >= 2
  return (
    <>
      {standing && (
        <div className={`banner ${standing.grave ? 'danger-fill' : 'warn-line'}`} role="alert" data-testid="standing">
          <OctagonX size={16} aria-hidden />
          <strong>{standing.name}</strong>
          <span>{standing.text}</span>
          <Button component={Link} to="/risk" size="compact-sm" variant="default">
            Why, and resume
          </Button>
        </div>
      )}
      {status?.phase === 'failed' && (
        <div className="banner danger-line" role="alert">
          <OctagonX size={16} aria-hidden />
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
