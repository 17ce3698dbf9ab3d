import { Select } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import type { Schema } from '../../api/client'
import { count, counted, number, utcDate } from '../../format'
import { Card } from '../../parts/Card'
import { LuckDrawing } from './LuckDrawing'
import { ScrollTable } from './ScrollTable'
import { Term } from './Term'
import { luckVerdict } from './words'

/** What luck alone would show, and the best that was found held against it. */
export function LuckCard({ luck }: { luck: readonly Schema<'LuckOnBars'>[] | null }) {
  const [chosen, setChosen] = useState(0)
  const most = luck?.[chosen] ?? luck?.[0]
  return (
    <Card
      title="What luck alone would show"
      aside={
        luck !== null &&
        luck.length > 1 && (
          <Select
            size="xs"
            aria-label="Bars"
            className="evidence-bars"
            allowDeselect={false}
            data={luck.map((each, place) => ({
              value: String(place),
              label: `${utcDate(each.first)} to ${utcDate(each.last)}, ${counted(each.trials, 'trial')}`,
            }))}
            value={String(most === luck[chosen] ? chosen : 0)}
            onChange={(value) => setChosen(Number(value))}
          />
        )
      }
    >
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
            the dot is the best that was found, at the number of all trials: those on other bars and at other costs are
            charged too, as the gates do. Trials that move alike, and costs, make luck show less; such as mirror one
            another make it show more. So this is a ruler and no test. The test is the{' '}
            <Term of="deflated">deflated Sharpe ratio</Term>, which also knows skew, kurtosis and how far luck has
            spread what was tried.
          </p>
          <details>
            <summary>The same as a table, for every stretch of bars</summary>
            <ScrollTable label="The best found and the best of luck">
              <thead>
                <tr>
                  <th scope="col">Tried on</th>
                  <th scope="col" className="numbers no-phone">
                    Trials on these
                  </th>
                  <th scope="col" className="numbers">
                    Best found
                  </th>
                  <th scope="col" className="numbers">
                    Luck of all {count(most.charged.trials)}
                  </th>
                  <th scope="col" className="numbers no-phone">
                    Luck, 9 of 10 homes
                  </th>
                </tr>
              </thead>
              <tbody>
                {(luck ?? []).map((each) => (
                  <tr key={`${each.data_fingerprint} ${each.first} ${each.last} ${each.fee} ${each.slippage}`}>
                    <td>
                      {utcDate(each.first)} to {utcDate(each.last)}
                    </td>
                    <td className="numbers no-phone">{count(each.trials)}</td>
                    <td className="numbers">{number(each.best.sharpe)}</td>
                    <td className="numbers">{number(each.charged.expected)}</td>
                    <td className="numbers no-phone">
                      {number(each.charged.low)} to {number(each.charged.high)}
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
