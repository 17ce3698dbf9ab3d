import type { Schema } from '../../api/client'
import { Card } from '../../parts/Card'
import { DataTable } from '../../parts/DataTable'
import { MarketTime } from '../../parts/MarketTime'
import { numbers } from './words'

/** What the gate has refused or shrunk, with the numbers that it compared. */
export function RefusalsCard({ view }: { view: Schema<'RiskView'> }) {
  return (
    <Card title="What the gate has refused">
      <DataTable
        label="Refusals of the gate"
        rows={view.refusals}
        keyOf={(row) => `${row.run} ${row.order} ${row.at} ${row.code}`}
        empty="The gate has refused nothing yet."
        height={360}
        columns={[
          { id: 'at', title: 'Time', cell: (row) => <MarketTime at={row.at} />, by: (row) => row.at, phone: false },
          { id: 'agent', title: 'Agent', cell: (row) => row.agent, by: (row) => row.agent },
          { id: 'symbol', title: 'Instrument', cell: (row) => row.symbol, by: (row) => row.symbol, phone: false },
          {
            id: 'why',
            title: 'Why',
            cell: (row) => (
              <>
                {row.outcome === 'refuse' ? '■ Refused' : '▼ Shrunk'}: {row.text} <code>{row.code}</code>
              </>
            ),
            by: (row) => row.code,
          },
          {
            id: 'numbers',
            title: 'Numbers',
            cell: (row) => (
              <details className="settings-meaning">
                <summary>Numbers</summary>
                {numbers(row.numbers)}
              </details>
            ),
            phone: false,
          },
        ]}
      />
    </Card>
  )
}
