import { Skeleton } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { answered, api } from '../../api/client'
import { EquityChart } from '../../charts'
import { equityOf } from '../../charts/series'
import { useStatus } from '../../live/status'
import { ProblemNotice } from '../../parts/ProblemNotice'

/** How often the whole curve is asked for while it grows, milliseconds; its end is live. */
const EVERY = 5_000

export function EquityCard() {
  const status = useStatus()
  const run = status?.run ?? null
  const trading = status?.phase === 'trading'
  const { data, error, refetch } = useQuery({
    queryKey: ['runs', run, 'equity', status?.phase],
    placeholderData: keepPreviousData,
    queryFn: () => answered(api.GET('/api/equity')),
    refetchInterval: trading ? EVERY : false,
  })
  const series = useMemo(() => equityOf(data), [data])
  const [time, value] = [status?.market_time ?? null, status?.equity ?? null]
  const now = useMemo(() => (time === null || value === null ? null : { time, value }), [time, value])
  if (error && !data) return <ProblemNotice error={error} retry={() => void refetch()} />
  if (!data) return <Skeleton height={340} />
  return (
    <>
      <EquityChart
        label="Equity of the fleet"
        {...series}
        benchmarkName="Buy and hold"
        currency={data.currency}
        now={now}
        height={300}
      />
      {data.benchmark_missing && <p className="chart-summary">No benchmark: {data.benchmark_missing}.</p>}
    </>
  )
}
