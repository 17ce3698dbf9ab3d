import { lazy, Suspense } from 'react'
import { Link, useParams } from 'react-router'
import type { Schema } from '../../api/client'
import { count, percent, signedPercent, tone, utc, utcDate } from '../../format'
import { Card } from '../../parts/Card'
import { KeyFigure } from '../../parts/KeyFigure'
import { Page } from '../../parts/Page'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { useClaim, useStory } from './asked'
import { GateTable } from './GateTable'
import { Glossary } from './Glossary'
import { ScrollTable } from './ScrollTable'
import { StandingWord } from './StandingWord'
import { Term } from './Term'
import { chance, level, verdict, wealth, whyLevel } from './words'

const WealthChart = lazy(() => import('../../charts/WealthChart').then((module) => ({ default: module.WealthChart })))

/** A claim: its wealth bar by bar, the level that it has to reach, and why that. */
export function ClaimPage() {
  const number = Number(useParams().number)
  const { data, error, refetch } = useClaim(number)
  const title = `Claim ${Number.isFinite(number) ? number : ''}`
  if (error)
    return (
      <Page title={title} actions={<Back />}>
        <ProblemNotice error={error} retry={() => void refetch()} />
      </Page>
    )
  if (!data)
    return (
      <Page title={title} actions={<Back />}>
        <p className="muted">Loading the claim …</p>
      </Page>
    )
  return <Claim detail={data} />
}

const Back = () => <Link to="/evidence">All evidence</Link>

function Claim({ detail }: { detail: Schema<'ClaimDetail'> }) {
  const { claim, why, curve, stretches, looks, anytime_p: p } = detail
  const story = useStory(claim.content_hash)
  const judged = story.data?.judged[0]
  return (
    <Page title={`Claim ${claim.number}`} actions={<Back />}>
      <Card title="What is claimed" aside={<StandingWord standing={claim.standing} />}>
        <p className="evidence-lead">
          That{' '}
          <Link to={`/evidence/strategies/${claim.content_hash}`}>
            <bdi>{claim.name}</bdi>
          </Link>{' '}
          has an <Term of="edge">edge</Term> on <bdi>{claim.market.replaceAll(',', ', ')}</bdi> at a fee of{' '}
          {percent(claim.fee, 3)} and slippage of {percent(claim.slippage, 3)} a side. Registered on{' '}
          {utcDate(claim.registered_at)}
          {claim.run && (
            <>
              {' '}
              by run <code>{claim.run}</code>
            </>
          )}
          ; bars count from {utcDate(claim.counts_from)} on, for nobody who chose it knew them.
        </p>
        <p>
          <b>{verdict(claim)}</b>
        </p>
        <div className="evidence-figures">
          <KeyFigure label="Wealth now" value={wealth(claim.wealth)} note="of a gambler who began with 1" />
          <KeyFigure label="Best so far" value={wealth(claim.peak)} note="what is held against the level" />
          <KeyFigure label="Level to reach" value={level(claim.wealth_to_reach)} note="fixed when it was registered" />
          <KeyFigure
            label="Bars that counted"
            value={count(claim.bars)}
            note={detail.evidence_until === null ? 'none yet' : `up to ${utc(detail.evidence_until).slice(0, 16)} UTC`}
          />
        </div>
        {claim.bars > 0 && (
          <p className="muted">
            This is what the registry has. The journal of a running fleet may be some bars ahead of it.
          </p>
        )}
      </Card>
      <Card title="Wealth against the level">
        {curve.bars === 0 ? (
          <p className="muted">No bar has counted yet.</p>
        ) : (
          <Suspense fallback={<p className="muted">Loading the chart …</p>}>
            <WealthChart
              label={`Wealth of claim ${claim.number}`}
              runs={[
                {
                  id: String(claim.number),
                  name: claim.name,
                  points: curve.times.map((time, at) => ({ time, value: curve.wealth[at] ?? null })),
                },
              ]}
              level={claim.wealth_to_reach}
              levelName={`Level to reach: ${level(claim.wealth_to_reach)}`}
            />
          </Suspense>
        )}
      </Card>
      <Card title="Why this level">
        <p>{whyLevel(why)}</p>
        <p>
          Registering is what costs: each further claim of this home has to reach more, and each promotion lowers what
          the later ones have to reach. With levels like these, of all claims that ever reach theirs at most one in ten
          has no edge, in expectation and however they depend on one another (e-LOND, Xu and Ramdas 2024). That is said
          of <Term of="discovery">all claims together</Term>, not of this one.
        </p>
        {p !== null && p < 1 && (
          <p>
            For this claim alone, 1 over its best wealth is a <Term of="anytime">p-value that holds at any time</Term>:{' '}
            {chance(p)}. The wealth itself is no p-value, and neither is the chance that the claim is wrong.
          </p>
        )}
        <p className="muted">
          All of it rests on two things: that the bars which count could not be known to who chose the strategy, and
          that no bar can lose more than its <Term of="bound">bound</Term>.
        </p>
      </Card>
      {judged && (
        <Card title="Its gates">
          <p className="muted">
            Gates look at what was chosen on. They keep those from claiming who would waste a number, and prove nothing.
            Judged by campaign <Link to={`/evidence/campaigns/${judged.run}`}>{judged.run}</Link>.
          </p>
          <GateTable gates={judged.finalist.gates} label="Gates" />
        </Card>
      )}
      {stretches.length > 0 && (
        <Card title="Bets by period" className="evidence-narrow">
          <ScrollTable label="Bets by period">
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col" className="numbers">
                  Bars
                </th>
                <th scope="col" className="numbers">
                  Net return
                </th>
                <th scope="col" className="numbers">
                  Wealth at its end
                </th>
              </tr>
            </thead>
            <tbody>
              {stretches.map((each) => (
                <tr key={each.name}>
                  <td>{each.name}</td>
                  <td className="numbers">{count(each.bars)}</td>
                  <td className={`numbers ${tone(each.net_return * 100)}`}>{signedPercent(each.net_return, 2)}</td>
                  <td className="numbers">{wealth(each.wealth)}</td>
                </tr>
              ))}
            </tbody>
          </ScrollTable>
          <p className="muted">Net returns add up; they are shares of the capital.</p>
        </Card>
      )}
      {looks.length > 0 && (
        <Card title="Looks at what was held back">
          <ul className="evidence-notes">
            {looks.map((look) => (
              <li key={`${look.kind} ${look.at} ${look.run}`}>
                {look.kind === 'vault' ? 'Into the vault' : 'At the selection'}, {utcDate(look.first)} to{' '}
                {utcDate(look.last)}, on {utcDate(look.at)}
              </li>
            ))}
          </ul>
        </Card>
      )}
      <Glossary
        terms={[
          'claim',
          'edge',
          'wealth',
          'best',
          'level',
          'discovery',
          'anytime',
          'bound',
          ...(judged
            ? (['deflated', 'overfitting', 'crossvalidation', 'endurance', 'selection', 'superiority'] as const)
            : []),
        ]}
      />
    </Page>
  )
}
