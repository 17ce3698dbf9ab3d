import { useMemo } from 'react'
import type { Schema } from '../../api/client'
import { EquityChart } from '../../charts'
import { equityOf } from '../../charts/series'
import { exact, price } from '../../parts/amount'
import { Card } from '../../parts/Card'
import { Change } from '../../parts/Change'
import { DataTable } from '../../parts/DataTable'
import { FeedLines } from '../../parts/FeedLines'
import { MarketTime } from '../../parts/MarketTime'

/** What it is worth, what it holds, what may still trade, and why. */
export function AgentNow({ agent }: { agent: Schema<'AgentDetail'> }) {
  const { currency, positions, orders, why } = agent
  const series = useMemo(() => equityOf(agent.equity), [agent.equity])
  return (
    <div className="agent-parts">
      <Card title="Equity">
        <EquityChart label={`Equity of ${agent.summary.id}`} {...series} currency={currency} height={220} />
      </Card>
      <Card title="Why it did what it did">
        <FeedLines
          lines={why}
          label="Its last decisions and what became of them, newest first"
          empty="It has decided nothing yet."
          height={240}
        />
      </Card>
      <Card title="Positions, with their exits">
        <DataTable
          label="Positions"
          rows={positions}
          keyOf={(row) => row.symbol}
          empty="It holds nothing."
          columns={[
            { id: 'symbol', title: 'Market', cell: (row) => row.symbol, by: (row) => row.symbol },
            { id: 'size', title: 'Size', cell: (row) => exact(row.size), numeric: true },
            { id: 'entry', title: 'Entry', cell: (row) => price(row.entry), numeric: true, phone: false },
            { id: 'mark', title: 'Last', cell: (row) => price(row.mark), numeric: true, phone: false },
            {
              id: 'unrealised',
              title: `P&L, ${currency}`,
              cell: (row) => <Change value={row.unrealised === null ? null : Number(row.unrealised)} />,
              by: (row) => Number(row.unrealised ?? 0),
              numeric: true,
            },
            { id: 'stop', title: 'Stop', cell: (row) => price(row.stop), numeric: true },
            {
              id: 'targets',
              title: 'Targets',
              cell: (row) => row.targets.map((target) => price(target.level)).join(', ') || '—',
              numeric: true,
              phone: false,
            },
          ]}
        />
      </Card>
      <Card title="Working orders">
        <DataTable
          label="Working orders"
          rows={orders}
          keyOf={(row) => row.id}
          empty="No order of it waits in the market."
          height={280}
          columns={[
            { id: 'symbol', title: 'Market', cell: (row) => row.symbol, by: (row) => row.symbol },
            { id: 'what', title: 'What', cell: (row) => `${row.kind} ${row.type}`, by: (row) => row.kind },
            { id: 'size', title: 'Size', cell: (row) => exact(row.size), numeric: true },
            { id: 'level', title: 'Level', cell: (row) => price(row.level ?? row.limit), numeric: true },
            { id: 'state', title: 'State', cell: (row) => row.state, phone: false },
            { id: 'since', title: 'Since (UTC)', cell: (row) => <MarketTime at={row.since} />, phone: false },
          ]}
        />
      </Card>
    </div>
  )
}
