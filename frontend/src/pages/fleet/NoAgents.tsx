import { Button, Skeleton } from '@mantine/core'
import { Link } from 'react-router'
import { useStatus } from '../../live/status'
import { Empty } from '../../parts/Empty'
import { CatchingUp } from '../overview/CatchingUp'

/** Before anybody is hired. */
export function NoAgents() {
  const status = useStatus()
  if (status?.phase === 'catching_up') return <CatchingUp status={status} />
  if (!status || status.agents === null || status.agents > 0)
    return (
      <div className="card" aria-busy>
        <Skeleton height={32} mb={12} />
        <Skeleton height={240} />
        <span className="hidden">The agents are loaded.</span>
      </div>
    )
  return (
    <Empty
      title="No agents yet"
      action={
        <Button component={Link} to="/evidence" variant="default">
          See what is being tried
        </Button>
      }
    >
      Every agent that trades is listed here with its profit, its risk and why it did what it did. Agents are hired when
      the search has found strategies that pass the gates{status.phase_text && `; now: ${status.phase_text}`}.
    </Empty>
  )
}
