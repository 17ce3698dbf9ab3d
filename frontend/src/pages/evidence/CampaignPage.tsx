import { Link, useParams } from 'react-router'
import { count, number, utcDate } from '../../format'
import { Card } from '../../parts/Card'
import { KeyFigure } from '../../parts/KeyFigure'
import { Page } from '../../parts/Page'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { useCampaign } from './asked'
import { some } from './CampaignsCard'
import { GateTable } from './GateTable'
import { Glossary } from './Glossary'

/** A campaign: every finalist, every gate, and what became of each. */
export function CampaignPage() {
  const run = useParams().run ?? ''
  const { data, error, refetch } = useCampaign(run)
  const campaign = data?.campaign
  return (
    <Page title={`Campaign ${run.slice(0, 12)}`} actions={<Link to="/evidence">All evidence</Link>}>
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {!data && !error && <p className="muted">Loading the campaign …</p>}
      {data && campaign && (
        <>
          <Card title="From search to proof">
            <p className="evidence-lead">
              On <bdi>{some(campaign.symbols)}</bdi>
              {campaign.seed !== null && `, seed ${campaign.seed}`}
              {campaign.budget !== null && `, a budget of ${count(campaign.budget)} strategies`}.{' '}
              {campaign.selection_from !== null &&
                `Searched before ${utcDate(campaign.selection_from)}, judged before ${utcDate(campaign.vault_from)}, the vault ends with ${utcDate(campaign.until)}.`}
            </p>
            <div className="evidence-figures">
              <KeyFigure
                label="Strategies tried"
                value={count(campaign.strategies)}
                note={<Link to={`/evidence?run=${encodeURIComponent(run)}#trials`}>see the trials</Link>}
              />
              <KeyFigure label="Finalists" value={count(campaign.finalists)} note="one look at the selection each" />
              <KeyFigure label="Passed all gates" value={count(campaign.passed)} note="those knock" />
              <KeyFigure
                label="Became claims"
                value={count(campaign.registered)}
                note="one opening of the vault each"
              />
              <KeyFigure label="Proven" value={count(campaign.proven)} note="wealth has reached its level" />
            </div>
            {campaign.state === 'open' && (
              <p>It has not ended: it searches, or was stopped. The same command goes on from there.</p>
            )}
          </Card>
          {data.finalists.map((each) => (
            <Card key={each.content_hash} title={`Finalist ${each.rank}`}>
              <p>
                <Link to={`/evidence/strategies/${each.content_hash}`}>
                  <bdi>{each.name}</bdi>
                </Link>
                : <bdi>{each.verdict}</bdi>.{' '}
                {each.hypothesis !== null && (
                  <Link to={`/evidence/claims/${each.hypothesis}`}>Claim {each.hypothesis}</Link>
                )}
              </p>
              <p className="muted">
                Sharpe ratio {number(each.sharpe)} on the search, {number(each.selection_sharpe)} on the selection;{' '}
                {number(each.stressed_sharpe)} at double costs, {number(each.delayed_sharpe)} one bar late,{' '}
                {number(each.endured_sharpe)} with both.
              </p>
              <GateTable gates={each.gates} label={`Gates of finalist ${each.rank}`} />
            </Card>
          ))}
          <Glossary
            terms={[
              'deflated',
              'overfitting',
              'crossvalidation',
              'endurance',
              'selection',
              'superiority',
              'vault',
              'sharpe',
            ]}
          />
        </>
      )}
    </Page>
  )
}
