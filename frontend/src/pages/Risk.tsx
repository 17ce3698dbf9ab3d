import { useQuery } from '@tanstack/react-query'
import { answered, api } from '../api/client'
import { Empty } from '../parts/Empty'
import { Page } from '../parts/Page'
import { ProblemNotice } from '../parts/ProblemNotice'
import { AuditCard } from './risk/AuditCard'
import { BudgetCard } from './risk/BudgetCard'
import { LimitsCard } from './risk/LimitsCard'
import { RefusalsCard } from './risk/RefusalsCard'
import { RulesCard } from './risk/RulesCard'
import { StopsCard } from './risk/StopsCard'
import { Unattributed } from './risk/Unattributed'
import './risk/risk.css'
import './settings/settings.css'

export default function Risk() {
  const { data, error, refetch } = useQuery({
    queryKey: ['risk'],
    queryFn: () => answered(api.GET('/api/risk')),
    refetchInterval: 3_000,
    staleTime: 0,
  })
  const currency = data?.runs[0]?.currency ?? 'USD'
  return (
    <Page title="Risk & audit">
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {!data && !error && <p className="muted">Counting what is reserved …</p>}
      <Unattributed />
      {data?.runs.map((run) => (
        <BudgetCard key={run.run} run={run} />
      ))}
      {data?.runs.length === 0 && (
        <Empty title="No run has begun">
          The day's loss limit is shared out among agents by their capital; here you see how much of it each has lost,
          reserved and free. Start a fleet with <code>clawd up</code>.
        </Empty>
      )}
      <LimitsCard currency={currency} />
      <div className="risk-columns">
        <StopsCard />
        {data && <RulesCard rules={data.rules} />}
      </div>
      {data && <RefusalsCard view={data} />}
      <AuditCard />
    </Page>
  )
}
