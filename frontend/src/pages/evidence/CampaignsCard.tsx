import { useState } from 'react'
import { Link } from 'react-router'
import { count, utcDate } from '../../format'
import { Card } from '../../parts/Card'
import { Pager } from '../../parts/Pager'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { useCampaigns } from './asked'
import { ScrollTable } from './ScrollTable'

const STEP = 10

/** Research campaigns: from what was searched to what was proven. */
export function CampaignsCard() {
  const [offset, setOffset] = useState(0)
  const { data, error, refetch } = useCampaigns(offset)
  return (
    <Card title="Research campaigns">
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {data && data.total === 0 && (
        <p className="muted">
          None yet. <code>clawd research run</code> lets evolution search on three fifths of the bars, and judges the
          best on the rest.
        </p>
      )}
      {data && data.total > 0 && (
        <>
          <ScrollTable label="Research campaigns">
            <thead>
              <tr>
                <th scope="col">Campaign</th>
                <th scope="col" className="no-phone">
                  Began
                </th>
                <th scope="col" className="no-phone">
                  Instruments
                </th>
                <th scope="col" className="numbers">
                  Strategies tried
                </th>
                <th scope="col" className="numbers no-phone">
                  Finalists
                </th>
                <th scope="col" className="numbers">
                  Passed all gates
                </th>
                <th scope="col" className="numbers no-phone">
                  Became claims
                </th>
                <th scope="col" className="numbers">
                  Proven
                </th>
              </tr>
            </thead>
            <tbody>
              {data.campaigns.map((each) => (
                <tr key={each.run}>
                  <td>
                    <Link to={`/evidence/campaigns/${encodeURIComponent(each.run)}`}>
                      <code>{each.run}</code>
                    </Link>
                    {each.state === 'open' && <span className="muted"> not ended</span>}
                    {each.state === 'unreadable' && <span className="danger"> ⚠ its file is damaged</span>}
                  </td>
                  <td className="no-phone">{utcDate(each.began_at)}</td>
                  <td className="no-phone">
                    <bdi>{some(each.symbols)}</bdi>
                  </td>
                  <td className="numbers">{count(each.strategies)}</td>
                  <td className="numbers no-phone">{count(each.finalists)}</td>
                  <td className="numbers">{count(each.passed)}</td>
                  <td className="numbers no-phone">{count(each.registered)}</td>
                  <td className="numbers">{count(each.proven)}</td>
                </tr>
              ))}
            </tbody>
          </ScrollTable>
          <Pager
            noun="campaigns"
            offset={offset}
            shown={data.campaigns.length}
            total={data.total}
            step={STEP}
            go={setOffset}
          />
        </>
      )}
    </Card>
  )
}

const MOST = 6

export const some = (symbols: readonly string[]): string =>
  symbols.length <= MOST
    ? symbols.join(', ')
    : `${symbols.slice(0, MOST).join(', ')} and ${count(symbols.length - MOST)} more`
