import { Link } from 'react-router'
import type { Schema } from '../../api/client'
import { count, number, utcDate } from '../../format'
import { Card } from '../../parts/Card'
import { LuckDrawing } from './LuckDrawing'
import { ScrollTable } from './ScrollTable'
import { Term } from './Term'
import { luckVerdict } from './words'

/** What luck alone would show, and the best that was found held against it. */
export function LuckCard({ luck }: { luck: readonly Schema<'LuckOnBars'>[] | null }) {
  const most = luck?.[0]
  return (
    <Card title="What luck alone would show">
      {!most ? (
        <p className="muted">There is no trial with a Sharpe ratio yet, so there is nothing to hold against luck.</p>
      ) : (
        <>
          <p className="evidence-lead">
            {luckVerdict(most)}{' '}
            <Link to={`/evidence/strategies/${most.best.content_hash}`}>
              See <bdi>{most.best.name}</bdi>
            </Link>
            .
          </p>
          <LuckDrawing luck={most} />
          <p className="muted">
            The dashed line is the <Term of="luck">expected best of luck</Term>, the band holds it in nine of ten homes,
            the dot is the best that was found. Trials that move alike, and costs, make luck show less; such as mirror
            one another make it show more. This is a ruler and no test: the test is the{' '}
            <Term of="deflated">deflated Sharpe ratio</Term>, which charges for all {count(most.all_trials.trials)}{' '}
            trials of the ledger, of which luck alone would show {number(most.all_trials.expected)} here.
          </p>
          <details>
            <summary>The same as a table, for every stretch of bars</summary>
            <ScrollTable label="The best found and the best of luck">
              <thead>
                <tr>
                  <th scope="col">Tried on</th>
                  <th scope="col" className="numbers">
                    Trials
                  </th>
                  <th scope="col" className="numbers">
                    Best found
                  </th>
                  <th scope="col" className="numbers">
                    Luck, expected
                  </th>
                  <th scope="col" className="numbers no-phone">
                    Luck, 9 of 10 homes
                  </th>
                </tr>
              </thead>
              <tbody>
                {luck.map((each) => (
                  <tr key={`${each.data_fingerprint} ${each.first} ${each.last} ${each.fee} ${each.slippage}`}>
                    <td>
                      {utcDate(each.first)} to {utcDate(each.last)}
                    </td>
                    <td className="numbers">{count(each.trials)}</td>
                    <td className="numbers">{number(each.best.sharpe)}</td>
                    <td className="numbers">{number(each.alone.expected)}</td>
                    <td className="numbers no-phone">
                      {number(each.alone.low)} to {number(each.alone.high)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </ScrollTable>
          </details>
        </>
      )}
    </Card>
  )
}
