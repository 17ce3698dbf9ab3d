import { Link, useParams } from 'react-router'
import type { Schema } from '../../api/client'
import { count, number, percent, signedPercent, tone, utc, utcDate } from '../../format'
import { Card } from '../../parts/Card'
import { CopyButton } from '../../parts/CopyButton'
import { Page } from '../../parts/Page'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { useStory } from './asked'
import { ClaimsTable } from './ClaimsTable'
import { GateTable } from './GateTable'
import { Glossary } from './Glossary'
import { ScrollTable } from './ScrollTable'
import { neighbourhood, weakest } from './story'
import { TellCard } from './TellCard'
import { Term } from './Term'

/** All that is known of a strategy: what it does, gates, claims, stress, neighbours, markets, where it comes from. */
export function StrategyPage() {
  const hash = useParams().hash ?? ''
  const { data, error, refetch } = useStory(hash)
  if (data) return <Story story={data} />
  return (
    <Page title="Strategy" actions={<Link to="/evidence">All evidence</Link>}>
      {error ? (
        <ProblemNotice error={error} retry={() => void refetch()} />
      ) : (
        <p className="muted">Loading the strategy …</p>
      )}
    </Page>
  )
}

function Story({ story }: { story: Schema<'StoryModel'> }) {
  const { told, judged, claims } = story
  return (
    <Page title={story.name || 'Strategy'} actions={<Link to="/evidence">All evidence</Link>}>
      <Card title="What it does">
        {story.explanation === null ? (
          <p className="muted">Its program was not kept, or is written in an older language.</p>
        ) : (
          <pre className="evidence-told">{story.explanation}</pre>
        )}
        <p className="muted">
          By <bdi>{story.author}</bdi>; hash <code>{story.content_hash.slice(0, 12)}</code>{' '}
          <CopyButton text={story.content_hash} label="Copy the whole hash" />; {count(story.family)} of its{' '}
          <Term of="family">family</Term> were tried.
        </p>
      </Card>
      <Card title="What is claimed for it">
        {claims.length === 0 ? (
          <p className="muted">Nothing: it is not registered, so no bar counts for it.</p>
        ) : (
          <ClaimsTable claims={claims} />
        )}
      </Card>
      {judged.map((each) => (
        <Card key={each.run} title="Gates">
          <p className="muted">
            As finalist {each.finalist.rank} of campaign{' '}
            <Link to={`/evidence/campaigns/${encodeURIComponent(each.run)}`}>{each.run}</Link>; Sharpe ratio{' '}
            {number(each.finalist.sharpe)} on the search, {number(each.finalist.selection_sharpe)} on the selection.
            Gates prove nothing: they look at what was chosen on.
          </p>
          <GateTable gates={each.finalist.gates} label={`Gates in campaign ${each.run}`} />
        </Card>
      ))}
      <TellCard story={story} />
      {told && <Told told={told} judged={judged.length > 0} />}
      <Lineage story={story} />
      <Tried story={story} />
      <Glossary
        terms={[
          'claim',
          'edge',
          'wealth',
          'level',
          'deflated',
          'overfitting',
          'crossvalidation',
          'endurance',
          'selection',
          'superiority',
          'sharpe',
          'family',
          'trial',
        ]}
      />
    </Page>
  )
}

function Told({ told, judged }: { told: Schema<'ToldModel'>; judged: boolean }) {
  const { sharpe, neighbours, regimes } = told
  const stress = [
    ['As it is', sharpe.search, 'at the costs in force, acting on the next bar'],
    ['Double costs', sharpe.double_costs, 'twice the fee and twice the slippage'],
    ['One bar late', sharpe.one_bar_late, 'every target acted on a bar later'],
    ['Both', sharpe.both, 'half of the Sharpe ratio has to be left here'],
  ] as const
  return (
    <>
      {!judged && (
        <Card title="Gates, as of then">
          <p className="muted">
            No campaign has judged it, so nothing was looked at on the selection. The gates charge for the{' '}
            {count(told.trials)} trials that there were on {utcDate(told.told_at)}.
          </p>
          <GateTable gates={told.gates} label="Gates on the search" />
        </Card>
      )}
      <Card title="Under stress">
        <ScrollTable label="Sharpe ratio under stress">
          <thead>
            <tr>
              <th scope="col">Stress</th>
              <th scope="col" className="numbers">
                Sharpe ratio
              </th>
              <th scope="col" className="numbers">
                Left
              </th>
              <th scope="col" className="no-phone">
                What is done
              </th>
            </tr>
          </thead>
          <tbody>
            {stress.map(([name, value, meaning]) => (
              <tr key={name}>
                <td>{name}</td>
                <td className="numbers">{number(value)}</td>
                <td className="numbers">
                  {value !== null && sharpe.search !== null && sharpe.search > 0
                    ? percent(value / sharpe.search, 0)
                    : '—'}
                </td>
                <td className="no-phone">{meaning}</td>
              </tr>
            ))}
          </tbody>
        </ScrollTable>
      </Card>
      <Card title="With one number a step up or down">
        <p>{neighbourhood(neighbours, sharpe.search)}</p>
        {neighbours.length > 0 && (
          <ScrollTable label="Neighbours">
            <thead>
              <tr>
                <th scope="col">Change</th>
                <th scope="col" className="numbers">
                  Sharpe ratio
                </th>
              </tr>
            </thead>
            <tbody>
              {neighbours.map((each) => (
                <tr key={each.change}>
                  <td>{each.change}</td>
                  <td className="numbers">{number(each.sharpe)}</td>
                </tr>
              ))}
            </tbody>
          </ScrollTable>
        )}
      </Card>
      <Card title="What would make it fail">
        <p>{weakest(regimes)}</p>
        {regimes.length > 0 && (
          <ScrollTable label="Kinds of markets">
            <thead>
              <tr>
                <th scope="col">Market</th>
                <th scope="col" className="numbers">
                  Of the bars
                </th>
                <th scope="col" className="numbers">
                  Sharpe ratio
                </th>
                <th scope="col" className="numbers">
                  Return a year
                </th>
                <th scope="col" className="no-phone">
                  Which bars
                </th>
              </tr>
            </thead>
            <tbody>
              {regimes.map((each) => (
                <tr key={each.name}>
                  <td>{each.name}</td>
                  <td className="numbers">{percent(each.share, 0)}</td>
                  <td className="numbers">{number(each.sharpe)}</td>
                  <td className={`numbers ${tone(each.annual_return)}`}>{signedPercent(each.annual_return)}</td>
                  <td className="no-phone">{each.meaning}</td>
                </tr>
              ))}
            </tbody>
          </ScrollTable>
        )}
      </Card>
    </>
  )
}

function Lineage({ story }: { story: Schema<'StoryModel'> }) {
  return (
    <Card title="Where it comes from">
      <ScrollTable label="Lineage">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Name</th>
            <th scope="col">Made by</th>
            <th scope="col" className="no-phone">
              Author
            </th>
          </tr>
        </thead>
        <tbody>
          {story.lineage.map((each) => (
            <tr key={each.content_hash}>
              <td>{each.generations === 0 ? 'itself' : `${count(each.generations)} before`}</td>
              <td>
                <Link to={`/evidence/strategies/${each.content_hash}`}>
                  <bdi>{each.name}</bdi>
                </Link>
              </td>
              <td>{each.origin || '—'}</td>
              <td className="no-phone">
                <bdi>{each.author}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </ScrollTable>
      {story.lineage.length < story.ancestors && (
        <p className="muted">
          The nearest {count(story.lineage.length)} of {count(story.ancestors)}.
        </p>
      )}
    </Card>
  )
}

function Tried({ story }: { story: Schema<'StoryModel'> }) {
  return (
    <Card title="Its own trials">
      <ScrollTable label="Its own trials">
        <thead>
          <tr>
            <th scope="col">Tried</th>
            <th scope="col">Bars from, to</th>
            <th scope="col" className="numbers no-phone">
              Costs a side
            </th>
            <th scope="col" className="numbers">
              Sharpe
            </th>
            <th scope="col" className="numbers no-phone">
              Return
            </th>
            <th scope="col" className="numbers no-phone">
              Times
            </th>
          </tr>
        </thead>
        <tbody>
          {story.trials.map((trial) => (
            <tr key={trial.id}>
              <td title={`${utc(trial.recorded_at)} UTC`}>{utcDate(trial.recorded_at)}</td>
              <td>
                {utcDate(trial.first)} to {utcDate(trial.last)}
              </td>
              <td className="numbers no-phone">{percent(trial.fee + trial.slippage, 3)}</td>
              <td className="numbers">{number(trial.sharpe)}</td>
              <td className={`numbers no-phone ${tone(trial.total_return)}`}>{signedPercent(trial.total_return)}</td>
              <td className="numbers no-phone">{count(trial.looks)}</td>
            </tr>
          ))}
        </tbody>
      </ScrollTable>
      {story.trials.length < story.all_trials && (
        <p className="muted">
          The newest {count(story.trials.length)} of {count(story.all_trials)}.
        </p>
      )}
    </Card>
  )
}
