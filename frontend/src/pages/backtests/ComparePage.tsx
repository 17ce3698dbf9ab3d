import { Skeleton } from '@mantine/core'
import { Link, useSearchParams } from 'react-router'
import { CompareChart } from '../../charts'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { CompareTables } from './CompareTables'
import { type Comparison, useComparison } from './queries'
import { MOST_COMPARED, span } from './words'

/** Runs side by side; the address says which, so that it opens the same comparison again. */
export function ComparePage() {
  const [search] = useSearchParams()
  const ids = (search.get('ids') ?? '').split(',').filter(Boolean)
  const query = useComparison(ids)
  const found = query.data
  return (
    <Page title="Compare backtests">
      <Link to="/backtests">All backtests</Link>
      {ids.length < 2 && (
        <Empty title="Nothing to compare" action={<Link to="/backtests">Choose backtests</Link>}>
          Choose two to {MOST_COMPARED} backtests that are done, and see their curves from the same start, what they
          were given, and which did best.
        </Empty>
      )}
      {query.isError && <ProblemNotice error={query.error} retry={() => query.refetch()} />}
      {ids.length > 1 && query.isPending && !query.isError && <Skeleton height={320} radius={8} />}
      {found && (
        <>
          {found.warnings.length > 0 && (
            <ul className="bt-warnings" aria-label="Warnings">
              {found.warnings.map((warning) => (
                <li key={warning}>
                  <span aria-hidden>⚠ </span>
                  {warning}
                </li>
              ))}
            </ul>
          )}
          <Lines found={found} />
          <CompareTables found={found} />
        </>
      )}
    </Page>
  )
}

function Lines({ found }: { found: Comparison }) {
  if (found.start === null) return null
  const runs = found.runs.flatMap((run, at) =>
    run.t && run.value
      ? [
          {
            id: run.id,
            name: `${at + 1}. ${run.name}`,
            points: run.t.map((time, place) => ({ time, value: run.value?.[place] ?? null })),
          },
        ]
      : [],
  )
  return (
    <Card title={`Equity, 100 at the common start, ${span(found.start, found.end)}`}>
      <CompareChart label="Equity of the compared runs" runs={runs} height={360} />
    </Card>
  )
}
