import { Skeleton } from '@mantine/core'
import { useMemo } from 'react'
import { Link } from 'react-router'
import type { Schema } from '../../api/client'
import { WealthChart } from '../../charts'
import { pointsOf } from '../../charts/series'
import { count, number, percent } from '../../format'
import { Card } from '../../parts/Card'
import { Gauge } from '../../parts/Gauge'
import { MarketTime } from '../../parts/MarketTime'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { StatTable } from '../../parts/StatTable'
import { useClaim } from './agentData'

/** How far it has come on the way to proof. */
export function AgentEvidence({ agent }: { agent: Schema<'AgentDetail'> }) {
  const { evidence } = agent
  if (!evidence)
    return <p className="muted">No bet is kept on this agent: it is no strategy that the search has registered.</p>
  const share = evidence.peak === null ? null : Math.log(Math.max(1, evidence.peak)) / Math.log(evidence.level)
  return (
    <div className="agent-parts">
      <Card title={evidence.proven ? 'Its edge is proven' : 'Its edge is not proven'}>
        <p className="agent-words">
          A bet of 1 is placed on it, which on average cannot grow if it has no edge, however often anyone looks. It now
          stands at <b className="live">{number(evidence.wealth)}</b>, and was {number(evidence.peak)} at its highest.
          It has to reach <b>{number(evidence.level)}</b>: the more strategies were tried before, the higher.
        </p>
        <Gauge label="Way to proof" value={share} text={`${percent(share, 0)} of the way, on a logarithmic scale`} />
        <p className="chart-summary">{percent(share, 0)} of the way, on a logarithmic scale.</p>
        <StatTable
          columns={2}
          stats={[
            {
              label: 'Claim',
              value: <Link to={`/evidence/claims/${evidence.hypothesis}`}>number {count(evidence.hypothesis)}</Link>,
            },
            { label: 'Bars that counted', value: count(evidence.bars) },
            { label: 'Counts from', value: <MarketTime at={evidence.counts_from} /> },
            { label: 'Profit since it was hired', value: `${number(agent.summary.total)} ${agent.currency}` },
          ]}
        />
      </Card>
      <Wealth claim={evidence.hypothesis} name={agent.summary.id} />
    </div>
  )
}

function Wealth({ claim, name }: { claim: number; name: string }) {
  const { data, error, refetch } = useClaim(claim)
  const runs = useMemo(
    () => (data ? [{ id: name, name, points: pointsOf(data.curve.times, data.curve.wealth) }] : []),
    [data, name],
  )
  return (
    <Card title="Wealth of the bet">
      {error ? (
        <ProblemNotice error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton height={260} />
      ) : (
        <WealthChart
          label={`Wealth of the bet on ${name}`}
          runs={runs}
          level={data.claim.wealth_to_reach}
          levelName="To reach"
          height={260}
        />
      )}
    </Card>
  )
}
