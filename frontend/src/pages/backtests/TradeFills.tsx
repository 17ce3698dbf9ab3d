import { Button } from '@mantine/core'
import type { Schema } from '../../api/client'
import { money, number, percent, signed, signedPercent } from '../../format'
import { DataTable } from '../../parts/DataTable'
import { StatTable } from '../../parts/StatTable'
import { BarTime } from './BarTime'
import type { Fill, Result } from './queries'

/** A trade in full: what it brought, and each of its fills with its reason. */
export function TradeFills({
  trade,
  result,
  close,
}: {
  trade: Schema<'TradeDetail'>
  result: Result
  close: () => void
}) {
  const of = result.instruments.find((each) => each.symbol === trade.symbol)
  return (
    <section className="bt-fills" aria-label={`Trade ${trade.number + 1}`}>
      <p>
        {trade.side === 'long' ? '▲ Long' : '▼ Short'} {trade.symbol} for {number(trade.bars, 0)} bars:{' '}
        <strong>{signed(trade.profit)}</strong> ({signedPercent(trade.share, 2)} of the capital), fees{' '}
        {money(trade.fees)}. {trade.text}.
      </p>
      <StatTable
        columns={2}
        stats={[
          { label: 'Best while held', value: signedPercent(trade.best), hint: 'share of the entry price' },
          { label: 'Worst while held', value: percent(trade.worst), hint: 'share of the entry price' },
        ]}
      />
      <DataTable
        label={`Fills of trade ${trade.number + 1}`}
        rows={trade.fills.map((fill, at) => ({ ...fill, at }))}
        keyOf={(fill) => fill.at}
        empty="There are no fills."
        columns={[
          { id: 'time', title: 'Bar (UTC)', cell: (fill) => <BarTime at={fill.t} bar={result.bar} /> },
          { id: 'side', title: 'Side', cell: (fill) => (fill.side === 'buy' ? '▲ bought' : '▼ sold') },
          { id: 'size', title: 'Size', cell: (fill) => number(fill.size, of?.size_decimals ?? 4), numeric: true },
          { id: 'price', title: 'Price', cell: (fill) => number(fill.price, of?.price_decimals ?? 2), numeric: true },
          { id: 'fee', title: 'Fee', cell: (fill: Fill) => money(fill.fee), numeric: true, phone: false },
          { id: 'why', title: 'Why', cell: (fill) => fill.text, phone: false },
        ]}
      />
      <div className="bt-row">
        <Button size="compact-sm" variant="default" onClick={close}>
          Show all trades
        </Button>
      </div>
    </section>
  )
}
