import { Select } from '@mantine/core'
import { useState } from 'react'
import { number, signedPercent, tone } from '../../format'
import { Card } from '../../parts/Card'
import { Change } from '../../parts/Change'
import { type Column, DataTable } from '../../parts/DataTable'
import { Pager } from '../../parts/Pager'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { BarTime } from './BarTime'
import { type Detail, PAGE, type Result, type Trade, useTrades } from './queries'

/** Every trade from flat to flat, the latest first; one that is clicked is shown on its price. */
export function Trades({
  run,
  result,
  chosen,
  choose,
}: {
  run: Detail
  result: Result
  chosen: number | null
  choose: (number: number) => void
}) {
  const [symbol, setSymbol] = useState('')
  const [offset, setOffset] = useState(0)
  const trades = useTrades(run.id, symbol, offset)
  const decimals = new Map(result.instruments.map((each) => [each.symbol, each]))
  const price = (trade: Trade, value: number | null) => number(value, decimals.get(trade.symbol)?.price_decimals ?? 2)
  const columns: Column<Trade>[] = [
    {
      id: 'trade',
      title: 'Trade',
      cell: (trade) => (
        <button
          type="button"
          className="bt-link"
          aria-pressed={chosen === trade.number}
          onClick={() => choose(trade.number)}
        >
          {trade.number + 1}
          <span className="hidden">
            , {trade.symbol} {trade.side}: show it on the price
          </span>
        </button>
      ),
    },
    { id: 'symbol', title: 'Instrument', cell: (trade) => trade.symbol },
    {
      id: 'side',
      title: 'Side',
      cell: (trade) => <span className="bt-state">{trade.side === 'long' ? '▲ long' : '▼ short'}</span>,
      phone: false,
    },
    { id: 'opened', title: 'Opened', cell: (trade) => <BarTime at={trade.opened} bar={result.bar} />, phone: false },
    {
      id: 'closed',
      title: 'Closed',
      cell: (trade) => (trade.closed === null ? 'still open' : <BarTime at={trade.closed} bar={result.bar} />),
      phone: false,
    },
    { id: 'bars', title: 'Bars', cell: (trade) => number(trade.bars, 0), numeric: true, phone: false },
    {
      id: 'size',
      title: 'Size',
      cell: (trade) => number(trade.size, decimals.get(trade.symbol)?.size_decimals ?? 4),
      numeric: true,
      phone: false,
    },
    { id: 'entry', title: 'Entry', cell: (trade) => price(trade, trade.entry), numeric: true, phone: false },
    { id: 'exit', title: 'Exit', cell: (trade) => price(trade, trade.exit), numeric: true, phone: false },
    {
      id: 'profit',
      title: `Profit, ${result.currency}`,
      cell: (trade) => <Change value={trade.profit} />,
      numeric: true,
    },
    {
      id: 'share',
      title: '% of capital',
      cell: (trade) => <span className={tone(trade.share * 100)}>{signedPercent(trade.share, 2)}</span>,
      numeric: true,
      phone: false,
    },
    {
      id: 'best',
      title: 'Best',
      cell: (trade) => signedPercent(trade.best),
      numeric: true,
      phone: false,
    },
    {
      id: 'worst',
      title: 'Worst',
      cell: (trade) => signedPercent(trade.worst),
      numeric: true,
      phone: false,
    },
    { id: 'why', title: 'Why it ended', cell: (trade) => trade.text, phone: false },
  ]
  return (
    <Card
      title="Trades"
      aside={
        result.instruments.length > 1 && (
          <Select
            size="xs"
            aria-label="Instrument of the trades"
            data={[{ value: '', label: 'All instruments' }, ...result.instruments.map((each) => each.symbol)]}
            value={symbol}
            allowDeselect={false}
            onChange={(value) => {
              setSymbol(value ?? '')
              setOffset(0)
            }}
          />
        )
      }
    >
      {trades.isError ? (
        <ProblemNotice error={trades.error} retry={() => trades.refetch()} />
      ) : (
        <DataTable
          label="Trades, the latest first"
          columns={columns}
          rows={trades.data?.trades}
          keyOf={(trade) => trade.number}
          chosen={chosen}
          empty="The strategy made no trade."
          height={420}
        />
      )}
      <Pager
        noun="trades"
        offset={offset}
        shown={trades.data?.trades.length ?? 0}
        total={trades.data?.total ?? 0}
        step={PAGE}
        go={setOffset}
      />
      <p className="chart-summary">
        Best and worst are how far a trade went for and against its entry price while it was held. Choose a trade to see
        it on the price.
      </p>
    </Card>
  )
}
