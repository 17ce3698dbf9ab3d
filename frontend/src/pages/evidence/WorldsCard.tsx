import { ProblemError } from '../../api/client'
import { count, counted } from '../../format'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { useWorlds } from './asked'
import { Term } from './Term'
import { WorldsTable } from './WorldsTable'
import { nothingToFind, WORLDS } from './words'

/** Whether all of this catches noise, and finds what is there. */
export function WorldsCard() {
  const { data, error, refetch } = useWorlds()
  const none = data && nothingToFind(data.released)
  return (
    <Card title="Does this catch noise?">
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {data && none && (
        <>
          <p className="evidence-lead">
            The whole pipeline was let loose on made-up markets whose truth is known. In {count(none.campaigns)}{' '}
            campaigns where there is nothing to find it tried {count(none.trials)} strategies and proved{' '}
            {none.false === 0 ? 'none' : count(none.false)}; the <Term of="naive">naive pipeline</Term> believed a
            backtest in {count(none.naive)} of them. Of {counted(data.released.promoted, 'proof')} in all worlds{' '}
            {count(data.released.rows.reduce((total, row) => total + row.false, 0))} were false. What is missed is in
            the table too, beside the <Term of="oracle">oracle</Term> that knows the truth.
          </p>
          <WorldsTable table={data.released} />
          <ul className="evidence-notes muted">
            {(['noise', 'planted', 'mixed', 'hidden'] as const).map((kind) => (
              <li key={kind}>
                <b>{WORLDS[kind].title}</b>: {WORLDS[kind].meaning}.
              </li>
            ))}
            <li>
              <b>Lost at</b>: the search found nothing with an edge; or it did, and the gates held it back; or it became
              a claim, and its wealth did not reach its level.
            </li>
            <li>
              <b>What this does not say</b>: none in a hundred is not never, the interval says how far it goes. Kinds of
              edges that are not in the table were not tried, and the simple strategies with which the search begins
              were widened while these worlds were being made, by signals of three of these kinds, at other windows. A
              planted edge stays; real ones fade.
            </li>
          </ul>
          {data.problem && <ProblemNotice error={new ProblemError(400, data.problem)} />}
          {data.own.map((table, place) => (
            <details key={table.at} open={place === 0}>
              <summary>
                Made in this home on {table.at}: {counted(table.campaigns, 'campaign')}
              </summary>
              <WorldsTable table={table} />
            </details>
          ))}
        </>
      )}
    </Card>
  )
}
