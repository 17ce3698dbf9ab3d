import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { answered, api } from '../../api/client'
import { counted } from '../../format'
import { useStatusOf } from '../../live/status'
import { AlertRow } from '../../parts/AlertRow'
import { useAlerts } from '../../parts/alerts'
import { exact } from '../../parts/amount'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/ProblemNotice'

const MOST = 4

/** What waits for a person: orders, alerts, and what no agent has done. */
export function NeedsYou() {
  const waiting = useStatusOf((status) => status.approvals ?? 0, 0)
  const alerts = useAlerts()
  const approvals = useQuery({
    queryKey: ['approvals', 'overview', waiting],
    queryFn: () => answered(api.GET('/api/approvals', { params: { query: { last: 0 } } })),
  })
  const unattributed = useQuery({
    queryKey: ['runs', 'unattributed'],
    queryFn: () => answered(api.GET('/api/positions/unattributed')),
  })
  const orders = approvals.data?.waiting ?? []
  const open = alerts.data?.alerts.filter((alert) => alert.acknowledged_at === null) ?? []
  const found = unattributed.data?.filter((position) => !position.decided) ?? []
  const many = orders.length + open.length + found.length
  const error = approvals.error ?? alerts.error ?? unattributed.error
  const loaded = approvals.data && alerts.data && unattributed.data
  return (
    <Card title="Needs you" aside={many > 0 && <span className="pill">{many}</span>}>
      {error && !loaded && (
        <ProblemNotice
          error={error}
          retry={() => {
            void approvals.refetch()
            void alerts.refetch()
            void unattributed.refetch()
          }}
        />
      )}
      {loaded && many === 0 && <p className="muted overview-none">Nothing waits for you.</p>}
      <ul className="alert-rows">
        {orders.slice(0, MOST).map((order) => (
          <li key={order.id} className="overview-wait">
            <div>
              <strong>
                {order.side === 'buy' ? 'Buy' : 'Sell'} {exact(order.size)} {order.symbol}
              </strong>
              <div className="alert-about">
                {order.agent && <bdi>{order.agent}</bdi>}
                <span>{order.reasons[0]}</span>
              </div>
            </div>
            <Button component={Link} to="/approvals" size="compact-sm">
              Review
            </Button>
          </li>
        ))}
        {found.slice(0, MOST).map((position) => (
          <li key={`${position.account} ${position.symbol}`} className="overview-wait">
            <div>
              <strong>
                {exact(position.size)} {position.symbol}
              </strong>
              <div className="alert-about">no agent has done this, on {position.account}</div>
            </div>
            <Button component={Link} to="/risk" size="compact-sm" variant="default">
              Decide
            </Button>
          </li>
        ))}
        {open.slice(0, MOST).map((alert) => (
          <AlertRow key={alert.id} alert={alert} />
        ))}
      </ul>
      {open.length > MOST && (
        <p className="chart-summary">{counted(open.length - MOST, 'more alert')} behind the bell above.</p>
      )}
    </Card>
  )
}
