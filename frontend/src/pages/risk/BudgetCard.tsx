import { Link } from 'react-router'
import type { Schema } from '../../api/client'
import { counted, percent } from '../../format'
import { Card } from '../../parts/Card'
import { DataTable } from '../../parts/DataTable'
import { Gauge } from '../../parts/Gauge'
import { MarketTime } from '../../parts/MarketTime'
import { amount, type Budget, budgetText } from './words'

/** The day's limit as a tree: the account's, and below it each agent's part. */
export function BudgetCard({ run }: { run: Schema<'RunRisk'> }) {
  const { account, currency } = run
  return (
    <Card
      title={`Day's budget · ${run.kind === 'account' ? `account ${run.run}` : `run ${run.run}`}`}
      aside={run.time === null ? null : <MarketTime at={run.time} />}
    >
      <div className="risk-account">
        <Gauge
          label={`The account's day limit: ${budgetText(account, currency)}`}
          value={account.used}
          warn={0.75}
          stop={0.9}
        />
        <div className="risk-account-text">
          <strong>{budgetText(account, currency)}</strong>
          <span className="muted">
            {amount(account.free)} {currency} free{account.active ? '' : ' · ■ stopped until the next day'}
          </span>
        </div>
      </div>
      <DataTable<Budget>
        label="The day's budget of each agent"
        rows={run.agents}
        keyOf={(row) => row.name}
        empty="No agent has been hired yet."
        height={420}
        columns={[
          {
            id: 'agent',
            title: 'Agent',
            cell: (row) => (
              <Link to={`/fleet/${encodeURIComponent(row.name)}`} className="risk-agent">
                {row.name}
              </Link>
            ),
            by: (row) => row.name,
          },
          { id: 'strategy', title: 'Strategy', cell: (row) => row.strategy, by: (row) => row.strategy, phone: false },
          {
            id: 'limit',
            title: `Part, ${currency}`,
            cell: (row) => amount(row.limit),
            by: (row) => Number(row.limit),
            numeric: true,
            phone: false,
          },
          {
            id: 'lost',
            title: 'Lost',
            cell: (row) => amount(row.lost),
            by: (row) => (row.lost === null ? null : Number(row.lost)),
            numeric: true,
          },
          {
            id: 'reserved',
            title: 'Reserved',
            cell: (row) => amount(row.reserved),
            by: (row) => (row.reserved === null ? null : Number(row.reserved)),
            numeric: true,
          },
          {
            id: 'free',
            title: 'Free',
            cell: (row) => amount(row.free),
            by: (row) => (row.free === null ? null : Number(row.free)),
            numeric: true,
            phone: false,
          },
          {
            id: 'used',
            title: 'Used',
            cell: (row) => (
              <span className="risk-use">
                <Gauge small label={`Used by ${row.name}`} value={row.used} warn={0.75} stop={0.9} />{' '}
                {percent(row.used)}
              </span>
            ),
            by: (row) => row.used,
            numeric: true,
          },
        ]}
        sorted={{ id: 'used', down: true }}
      />
      {run.agents_in_all > run.agents.length && (
        <p className="muted">
          The {counted(run.agents.length, 'agent')} with the most used, of {run.agents_in_all}.
        </p>
      )}
    </Card>
  )
}
