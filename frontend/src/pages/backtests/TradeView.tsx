import { Select, Skeleton } from '@mantine/core'
import { useEffect, useMemo, useRef, useState } from 'react'
import { type Mark, PriceChart } from '../../charts'
import { counted } from '../../format'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { type Detail, type Fill, type Result, usePrices, useTrade } from './queries'
import { TradeFills } from './TradeFills'
import { around, barMilliseconds } from './words'

/** A price with what was traded on it: all of it, or what lies around one trade. */
export function TradeView({
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
  const drawn = result.instruments.filter((each) => each.drawn)
  const [picked, setPicked] = useState<string | null>(null)
  const trade = useTrade(run.id, chosen)
  const one = chosen === null ? undefined : trade.data
  const symbol = one?.symbol ?? picked ?? drawn[0]?.symbol ?? null
  const [from, to] = one ? around(one.opened, one.closed, result.last, barMilliseconds(result.bar)) : [null, null]
  const wanted = chosen !== null && !one ? null : symbol
  const prices = usePrices(run.id, wanted, from, to)
  const data = prices.data
  const [candles, stop, marks] = useMemo(() => {
    if (!data) return [[], [], []]
    const bars = data.t.flatMap((time, at) => {
      const [open, high, low, close] = [data.open[at], data.high[at], data.low[at], data.close[at]]
      return open == null || high == null || low == null || close == null ? [] : [{ time, open, high, low, close }]
    })
    const line = data.t.map((time, at) => ({ time, value: data.stop[at] ?? null }))
    return [bars, line, data.fills.map((fill, at) => markOf(fill, at))]
  }, [data])
  const focus = one ? `${one.number}:${one.fills.at(-1)?.t ?? one.opened}` : null
  const place = useRef<HTMLDivElement>(null)
  const shown = one?.number
  useEffect(() => {
    if (shown !== undefined) place.current?.scrollIntoView({ block: 'nearest' })
  }, [shown])
  if (drawn.length === 0) return null
  const title = one ? `Trade ${one.number + 1} on the price of ${one.symbol}` : `Trades on the price of ${symbol}`
  return (
    <div ref={place} className="bt-trade">
      <Card
        title={title}
        aside={
          <Select
            size="xs"
            aria-label="Instrument of the price chart"
            data={drawn.map((each) => each.symbol)}
            value={symbol}
            allowDeselect={false}
            onChange={(value) => {
              setPicked(value)
              choose(-1)
            }}
          />
        }
      >
        {prices.isError && <ProblemNotice error={prices.error} retry={() => prices.refetch()} />}
        {prices.isPending && !prices.isError && <Skeleton height={340} radius={4} />}
        {data && (
          <>
            <PriceChart
              key={`${symbol}:${chosen}`}
              label={title}
              candles={candles}
              marks={marks}
              stop={stop}
              decimals={data.decimals}
              focus={focus ? (marks.find((mark) => mark.id.startsWith(`${focus}:`))?.id ?? null) : null}
              onMark={(id) => choose(Number(id.split(':')[0]))}
              height={340}
            />
            <p className="chart-summary">
              The dashed line is the level at which the position would have been stopped out, as it stood within each
              bar.
              {data.width > 1 && ` Each bar here is ${data.width} bars of the run.`}
              {data.left_out > 0 && ` ${counted(data.left_out, 'earlier fill')} in view without a mark.`}
            </p>
          </>
        )}
        {trade.isError && <ProblemNotice error={trade.error} retry={() => trade.refetch()} />}
        {one && <TradeFills trade={one} result={result} close={() => choose(-1)} />}
      </Card>
    </div>
  )
}

const markOf = (fill: Fill, at: number): Mark => ({
  id: `${fill.trade}:${fill.t}:${at}`,
  time: fill.t,
  side: fill.side,
  price: fill.price,
  text: fill.text,
})
