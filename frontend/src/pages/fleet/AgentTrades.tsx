import { SegmentedControl, Skeleton } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { Schema } from '../../api/client'
import { type Mark, type Point, PriceChart } from '../../charts'
import { decimalsOf, exact, price } from '../../parts/amount'
import { Card } from '../../parts/Card'
import { Change } from '../../parts/Change'
import { DataTable } from '../../parts/DataTable'
import { MarketTime } from '../../parts/MarketTime'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { usePrices, useTrades } from './agentData'

/** What it traded, on the prices at which it did. */
export function AgentTrades({ agent }: { agent: Schema<'AgentDetail'> }) {
  const { id } = agent.summary
  const trades = useTrades(id)
  const markets = useMemo(() => marketsOf(agent, trades.data), [agent, trades.data])
  const [wanted, setWanted] = useState<string | null>(null)
  const [focus, setFocus] = useState<string | null>(null)
  const symbol = wanted ?? markets[0]
  return (
    <div className="agent-parts">
      <Card
        title="On the price"
        aside={
          markets.length > 1 &&
          markets.length <= 6 && (
            <SegmentedControl
              size="xs"
              aria-label="Market"
              data={[...markets]}
              value={symbol ?? ''}
              onChange={(market) => {
                setWanted(market)
                setFocus(null)
              }}
            />
          )
        }
      >
        {symbol ? (
          <OnThePrice agent={id} symbol={symbol} focus={focus} onMark={setFocus} />
        ) : (
          <p className="muted">It has traded nothing yet.</p>
        )}
      </Card>
      <Card title={trades.data ? `Trades, ${trades.data.total} in all` : 'Trades'}>
        {trades.error && !trades.data ? (
          <ProblemNotice error={trades.error} retry={() => void trades.refetch()} />
        ) : (
          <DataTable
            label="Trades"
            rows={trades.data?.trades}
            keyOf={(row) => `${row.symbol} ${row.fills[0]}`}
            empty="It has traded nothing yet. A trade goes from flat to flat."
            height={380}
            columns={[
              {
                id: 'opened',
                title: 'Opened (UTC)',
                cell: (row) => (
                  <button
                    type="button"
                    className="text-button"
                    onClick={() => {
                      setWanted(row.symbol)
                      setFocus(String(row.fills[0]))
                    }}
                  >
                    <MarketTime at={row.opened} />
                    <span className="hidden">, show on the chart</span>
                  </button>
                ),
                by: (row) => row.opened,
              },
              { id: 'symbol', title: 'Market', cell: (row) => row.symbol, by: (row) => row.symbol },
              { id: 'side', title: 'Side', cell: (row) => row.side, by: (row) => row.side, phone: false },
              { id: 'size', title: 'Size', cell: (row) => exact(row.size), numeric: true, phone: false },
              { id: 'entry', title: 'Entry', cell: (row) => price(row.entry), numeric: true, phone: false },
              { id: 'exit', title: 'Exit', cell: (row) => price(row.exit), numeric: true, phone: false },
              {
                id: 'profit',
                title: `P&L, ${agent.currency}`,
                cell: (row) =>
                  row.profit === null ? <span className="muted">open</span> : <Change value={Number(row.profit)} />,
                by: (row) => (row.profit === null ? null : Number(row.profit)),
                numeric: true,
              },
              { id: 'why', title: 'Closed for', cell: (row) => row.closed_for ?? '—', by: (row) => row.closed_for },
            ]}
          />
        )}
      </Card>
    </div>
  )
}

function OnThePrice({
  agent,
  symbol,
  focus,
  onMark,
}: {
  agent: string
  symbol: string
  focus: string | null
  onMark: (id: string) => void
}) {
  const { data, error, refetch } = usePrices(symbol, agent)
  const shown = useMemo(() => data && chartOf(data), [data])
  if (error && !data) return <ProblemNotice error={error} retry={() => void refetch()} />
  if (!data || !shown) return <Skeleton height={300} />
  const chosen = data.fills.find((fill) => String(fill.seq) === focus)
  return (
    <>
      <PriceChart
        label={`${data.symbol} with the fills of ${agent}`}
        currency={data.currency}
        {...shown}
        focus={focus}
        onMark={onMark}
        height={300}
      />
      {data.fills_total > data.fills.length && (
        <p className="chart-summary">
          The newest {data.fills.length} of {data.fills_total} fills.
        </p>
      )}
      {chosen && (
        <p className="agent-fill" role="status">
          <MarketTime at={chosen.time} seconds /> UTC: {chosen.size > 0 ? 'bought' : 'sold'}{' '}
          {exact(String(Math.abs(chosen.size)))} at {exact(String(chosen.price))}, {chosen.kind}: {chosen.reason}. Entry{' '}
          {chosen.seq} of the journal.
        </p>
      )}
    </>
  )
}

function chartOf(prices: Schema<'Prices'>) {
  const candles = prices.time.map((time, at) => ({
    time,
    open: prices.open[at] ?? Number.NaN,
    high: prices.high[at] ?? Number.NaN,
    low: prices.low[at] ?? Number.NaN,
    close: prices.close[at] ?? Number.NaN,
  }))
  const marks: Mark[] = prices.fills.map((fill) => ({
    id: String(fill.seq),
    time: fill.time,
    side: fill.size > 0 ? 'buy' : 'sell',
    price: fill.price,
    text: `${fill.kind}: ${fill.reason}`,
  }))
  const line = prices.stops[0]
  const stop: Point[] = line ? line.time.map((time, at) => ({ time, value: line.level[at] ?? null })) : []
  // As it stands, up to the newest bar.
  const last = stop.at(-1)
  const end = candles.at(-1)
  if (last && end && last.value !== null && end.time > last.time) stop.push({ time: end.time, value: last.value })
  return { candles, marks, stop, decimals: decimalsOf(prices.close) }
}

/** What it has traded or holds first, then whatever it may trade. */
function marketsOf(agent: Schema<'AgentDetail'>, trades: ReturnType<typeof useTrades>['data']): readonly string[] {
  const traded = [
    ...agent.positions.map((position) => position.symbol),
    ...(trades?.trades ?? []).map((trade) => trade.symbol),
  ]
  return [...new Set([...traded, ...agent.summary.markets.split(',').filter(Boolean)])]
}
