import { Button } from '@mantine/core'
import { useEffect } from 'react'
import { Link, useLocation } from 'react-router'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { useEvidence } from './asked'
import { CampaignsCard } from './CampaignsCard'
import { ClaimsCard } from './ClaimsCard'
import { Glossary } from './Glossary'
import { LuckCard } from './LuckCard'
import { SealsCard } from './SealsCard'
import { TrialsCard } from './TrialsCard'
import { TriedCard } from './TriedCard'
import type { TermName } from './terms'
import { WorldsCard } from './WorldsCard'

const WORLDS: readonly TermName[] = ['edge', 'promotion', 'sharpe', 'naive', 'oracle', 'interval']
const ALL: readonly TermName[] = [
  'trial',
  'family',
  'claim',
  'edge',
  'wealth',
  'best',
  'level',
  'discovery',
  'promotion',
  'sharpe',
  'deflated',
  'luck',
  'clusters',
  'correlation',
  'rank',
  'participation',
  'selection',
  'vault',
  'oracle',
  'naive',
  'interval',
]

/** Every trial counted, every claim against its level, and whether all of this catches noise. */
export function EvidenceHome() {
  const { data, error, refetch } = useEvidence()
  const { hash } = useLocation()
  const counts = data?.counts
  const fresh =
    counts !== null && counts !== undefined && counts.distinct_trials === 0 && counts.claims.registered === 0
  useEffect(() => {
    if (hash === '#trials' && counts) document.getElementById('trials')?.scrollIntoView()
  }, [hash, counts])
  return (
    <Page title="Evidence">
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {!data && !error && <p className="muted">Loading the evidence …</p>}
      {data && !counts && (
        <p className="muted" role="status">
          The trials are being counted …
        </p>
      )}
      {fresh && (
        <Empty
          title="Nothing was tried yet"
          action={
            <Button component={Link} to="/build">
              Build a strategy
            </Button>
          }
        >
          This page counts everything that is tried, shows what is claimed for it and how far the proof has come. A
          backtest earns a strategy a place on paper; only bars that nobody could have known prove anything. The first
          backtest is the first trial.
        </Empty>
      )}
      {data && counts && !fresh && (
        <>
          <ClaimsCard counts={counts.claims} />
          <TriedCard evidence={data} />
          <LuckCard luck={data.luck} />
        </>
      )}
      <WorldsCard />
      {data && counts && !fresh && (
        <>
          <div id="trials">
            <TrialsCard authors={counts.authors} />
          </div>
          <CampaignsCard />
          <SealsCard seals={counts.seals} all={counts.all_seals} />
        </>
      )}
      <Glossary terms={counts && !fresh ? ALL : WORLDS} />
    </Page>
  )
}
