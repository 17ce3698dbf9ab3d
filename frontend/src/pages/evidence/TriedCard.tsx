import type { Schema } from '../../api/client'
import { count, number, percent, utcDate } from '../../format'
import { Card } from '../../parts/Card'
import { KeyFigure } from '../../parts/KeyFigure'
import { ScrollTable } from './ScrollTable'
import { Term } from './Term'

/** How much was tried, by whom, and how much of it is different. */
export function TriedCard({ evidence }: { evidence: Schema<'EvidenceOverview'> }) {
  const { counts, behaviour } = evidence
  if (!counts) return null
  const looks = counts.looks.selection + counts.looks.vault
  return (
    <Card title="How much was tried">
      <p className="evidence-lead">
        Who tries enough finds something that looks good. So every <Term of="trial">trial</Term> is counted, whoever
        made it and however it came out, and the <Term of="deflated">gate on luck</Term> charges for all of them.
      </p>
      <div className="evidence-figures">
        <KeyFigure
          label="Trials"
          value={count(counts.distinct_trials)}
          note="each strategy on each stretch of data at each cost"
        />
        <KeyFigure
          label="Strategies"
          value={count(counts.distinct_strategies)}
          note="the same on other data or at other costs is one"
        />
        <KeyFigure
          label="Families"
          value={count(counts.families)}
          note={`alike but for their numbers; the largest has ${count(counts.largest_family)}`}
        />
        <KeyFigure
          label="Looks at what is held back"
          value={count(looks)}
          note={`${count(counts.looks.selection)} at the selection, ${count(counts.looks.vault)} into the vault`}
        />
      </div>
      <h3>How many of them are different</h3>
      {behaviour === null ? (
        <p className="muted" role="status">
          Being computed from the correlations of the trials’ returns.
        </p>
      ) : behaviour.length === 0 ? (
        <p className="muted">No two trials share their bars and costs yet, so none can be compared.</p>
      ) : (
        <>
          <ScrollTable label="Effective numbers of trials">
            <thead>
              <tr>
                <th scope="col">Tried on</th>
                <th scope="col" className="numbers no-phone">
                  Costs a side
                </th>
                <th scope="col" className="numbers">
                  Trials
                </th>
                <th scope="col" className="numbers no-phone">
                  Compared
                </th>
                <th scope="col" className="numbers">
                  <Term of="clusters">Clusters</Term>
                </th>
                <th scope="col" className="numbers no-phone">
                  <Term of="correlation">By correlation</Term>
                </th>
                <th scope="col" className="numbers no-phone">
                  <Term of="rank">By rank</Term>
                </th>
                <th scope="col" className="numbers no-phone">
                  <Term of="participation">By participation</Term>
                </th>
              </tr>
            </thead>
            <tbody>
              {behaviour.map((each) => (
                <tr key={`${each.data_fingerprint} ${each.first} ${each.last} ${each.fee} ${each.slippage}`}>
                  <td>
                    {utcDate(each.first)} to {utcDate(each.last)}
                  </td>
                  <td className="numbers no-phone">{percent(each.fee + each.slippage, 2)}</td>
                  <td className="numbers">{count(each.trials)}</td>
                  <td className="numbers no-phone">{count(each.compared)}</td>
                  <td className="numbers">{count(each.clusters)}</td>
                  <td className="numbers no-phone">{number(each.average_correlation, 1)}</td>
                  <td className="numbers no-phone">{number(each.effective_rank, 1)}</td>
                  <td className="numbers no-phone">{number(each.participation_ratio, 1)}</td>
                </tr>
              ))}
            </tbody>
          </ScrollTable>
          <p className="muted">
            These numbers disagree, and whoever tries much of the same lowers them. They are shown and not used: gates
            use the raw number of distinct trials, {count(counts.distinct_trials)}.
          </p>
        </>
      )}
      <Authors authors={counts.authors} />
    </Card>
  )
}

function Authors({ authors }: { authors: readonly Schema<'TallyModel'>[] }) {
  return (
    <details>
      <summary>Who tried how much</summary>
      <ScrollTable label="Trials by author">
        <thead>
          <tr>
            <th scope="col">Author</th>
            <th scope="col" className="numbers">
              Trials
            </th>
            <th scope="col" className="numbers">
              Strategies
            </th>
            <th scope="col" className="numbers no-phone">
              Families
            </th>
            <th scope="col" className="numbers no-phone">
              Tried, again included
            </th>
            <th scope="col" className="no-phone">
              First
            </th>
            <th scope="col" className="no-phone">
              Last new one
            </th>
          </tr>
        </thead>
        <tbody>
          {authors.map((each) => (
            <tr key={each.name}>
              <td>
                <bdi>{each.name}</bdi>
              </td>
              <td className="numbers">{count(each.trials)}</td>
              <td className="numbers">{count(each.strategies)}</td>
              <td className="numbers no-phone">{count(each.families)}</td>
              <td className="numbers no-phone">{count(each.looks)}</td>
              <td className="no-phone">{utcDate(each.first_at)}</td>
              <td className="no-phone">{utcDate(each.last_at)}</td>
            </tr>
          ))}
        </tbody>
      </ScrollTable>
    </details>
  )
}
