import { useQuery } from '@tanstack/react-query'
import { answered, api } from '../../api/client'
import { useLink, useStatus } from '../../live/status'
import { Age } from '../../parts/Age'
import { Card } from '../../parts/Card'

const MOST = 5
const KINDS = { bars: 'paper, over bars', account: 'paper account at a venue' } as const

/** Who is at work, and when each was last heard. */
export function Runs() {
  const status = useStatus()
  const link = useLink()
  const { data } = useQuery({
    queryKey: ['runs', 'list', status?.run ?? null, status?.phase ?? null],
    queryFn: () => answered(api.GET('/api/runs')),
  })
  return (
    <Card title="Runs and venues">
      <ul className="overview-runs">
        <li>
          <span>This page and its server</span>
          <span className={link.state === 'live' ? '' : 'warn'}>
            {link.state === 'live' ? '● Live' : link.state === 'stale' ? '◐ Stale' : '○ Not reached'}
          </span>
        </li>
        {(data ?? []).slice(0, MOST).map((run) => (
          <li key={run.run}>
            <span className="overview-run">
              <bdi title={run.run}>{run.run}</bdi>
              <small>{KINDS[run.kind]}</small>
            </span>
            <span>
              {run.working ? '● At work' : '■ Not at work'}
              <small>
                wrote <Age at={run.shown && status?.heard_at ? status.heard_at : run.written_at} />
              </small>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  )
}
