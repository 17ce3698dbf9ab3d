import { Alert } from '@mantine/core'
import { useState } from 'react'
import { Page } from '../parts/Page'
import { ProblemNotice } from '../parts/ProblemNotice'
import { DecideDialog } from './approvals/DecideDialog'
import { History } from './approvals/History'
import { NothingWaits } from './approvals/NothingWaits'
import { Ticket } from './approvals/Ticket'
import { useApprovals, useApproverKeys } from './approvals/useApprovals'
import './approvals/approvals.css'

export default function Approvals() {
  const { data, error, refetch } = useApprovals()
  const keys = useApproverKeys()
  const [deciding, setDeciding] = useState<{ id: string; decision: 'approve' | 'reject' } | null>(null)
  const open = data?.waiting.find((each) => each.id === deciding?.id)
  return (
    <Page title="Approvals">
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {!data && !error && <p className="muted">Looking what waits …</p>}
      {data?.warning && (
        <Alert color="danger" variant="outline" role="alert" title="Orders could never be approved">
          {data.warning}
        </Alert>
      )}
      {data?.damaged.map((each) => (
        <Alert key={each.id} color="danger" variant="outline" role="alert" title={`Request ${each.id} is damaged`}>
          {each.why}
        </Alert>
      ))}
      {data && data.waiting.length === 0 && data.history.length === 0 && (
        <NothingWaits keys={(keys.data ?? []).some((key) => key.trusted)} inForce={data.in_force} />
      )}
      {data && data.waiting.length === 0 && data.history.length > 0 && <p className="muted">Nothing waits now.</p>}
      {data && data.waiting.length > 0 && (
        <section aria-label="Orders that wait" className="approvals-queue">
          {data.waiting.map((each) => (
            <Ticket key={each.id} approval={each} onDecide={(decision) => setDeciding({ id: each.id, decision })} />
          ))}
        </section>
      )}
      {data && data.history.length > 0 && <History rows={data.history} />}
      {deciding && open && (
        <DecideDialog
          key={`${deciding.id} ${deciding.decision}`}
          approval={open}
          decision={deciding.decision}
          onClose={() => setDeciding(null)}
        />
      )}
    </Page>
  )
}
