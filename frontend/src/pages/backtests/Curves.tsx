import { Skeleton } from '@mantine/core'
import { useMemo } from 'react'
import { EquityChart } from '../../charts'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { type Detail, type Result, useSeries } from './queries'
import { barMilliseconds } from './words'

/** Equity beside buying and holding, and the drawdown below. */
export function Curves({ run, result, height = 340 }: { run: Detail; result: Result; height?: number }) {
  const series = useSeries(run.id)
  const data = series.data
  const [equity, benchmark] = useMemo(() => {
    if (!data) return [[], []]
    // Both begin with the capital, before the first bar.
    const before = { time: (data.t[0] ?? 0) - barMilliseconds(result.bar), value: Number(run.capital) }
    const points = (values: readonly number[]) => [
      before,
      ...data.t.map((time, at) => ({ time, value: values[at] ?? null })),
    ]
    return [points(data.equity), data.held ? points(data.held) : []]
  }, [data, result.bar, run.capital])
  return (
    <Card title="Equity and drawdown">
      {series.isError && <ProblemNotice error={series.error} retry={() => series.refetch()} />}
      {series.isPending && <Skeleton height={height} radius={4} />}
      {data && (
        <EquityChart
          label={`Equity of ${run.name}`}
          equity={equity}
          benchmark={benchmark}
          benchmarkName="Buy and hold"
          currency={result.currency}
          told={result.summary}
          height={height}
        />
      )}
    </Card>
  )
}
