import { Age } from '../../parts/Age'
import { Card } from '../../parts/Card'
import { DataTable } from '../../parts/DataTable'
import { StateMark } from './StateMark'
import { type Approval, deciders, notional, order } from './words'

/** What no longer waits: what became of it, who decided, and in which words. */
export function History({ rows }: { rows: readonly Approval[] }) {
  return (
    <Card title="History">
      <DataTable
        label="Orders that no longer wait"
        rows={rows}
        keyOf={(row) => row.id}
        empty="Nothing has been decided yet."
        height={480}
        columns={[
          { id: 'state', title: 'State', cell: (row) => <StateMark state={row.state} />, by: (row) => row.state },
          { id: 'order', title: 'Order', cell: order, by: (row) => row.symbol },
          {
            id: 'notional',
            title: 'Notional',
            cell: notional,
            by: (row) => (row.notional.amount === null ? null : Number(row.notional.amount)),
            numeric: true,
            phone: false,
          },
          { id: 'agent', title: 'Agent', cell: (row) => row.agent, by: (row) => row.agent, phone: false },
          { id: 'who', title: 'Who', cell: (row) => <Words row={row} /> },
          { id: 'when', title: 'Asked', cell: (row) => <Age at={row.requested_at} />, by: (row) => row.requested_at },
        ]}
      />
    </Card>
  )
}

function Words({ row }: { row: Approval }) {
  const said = row.signers.filter((signer) => signer.decided && signer.why)
  return (
    <>
      {deciders(row)}
      {said.map((signer) => (
        <div key={signer.fingerprint} className="muted">
          {signer.name}: “{signer.why}”
        </div>
      ))}
      {!row.signers.some((signer) => signer.decided) && <div className="muted">{row.text}</div>}
    </>
  )
}
