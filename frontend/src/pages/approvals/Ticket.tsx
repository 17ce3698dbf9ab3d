import { useId } from 'react'
import { utc } from '../../format'
import { Age } from '../../parts/Age'
import { exact } from '../../parts/amount'
import { Gauge } from '../../parts/Gauge'
import { RightButton } from '../../parts/RightButton'
import { StateMark } from './StateMark'
import { useNow } from './useApprovals'
import { type Approval, deciders, drift, driftShare, left, notional, order } from './words'

interface Props {
  approval: Approval
  onDecide: (decision: 'approve' | 'reject') => void
}

/** An order that waits: what it is, why it waits, until when, and where the price has gone since. */
export function Ticket({ approval, onDecide }: Props) {
  const id = useId()
  const now = useNow()
  const rest = approval.expires_at - now
  return (
    <article className="card approvals-ticket" aria-labelledby={id}>
      <header className="approvals-head">
        <h2 id={id}>
          {order(approval)} <span className="approvals-notional">{notional(approval)}</span>
        </h2>
        <StateMark state={approval.state} />
        <span className={`approvals-clock ${rest < 300_000 ? 'warn' : ''}`} title={`${utc(approval.expires_at)} UTC`}>
          {rest > 0 ? `expires in ${left(rest)}` : 'expired'}
        </span>
      </header>
      <ul className="approvals-reasons" aria-label="Limits that it is above">
        {approval.reasons.map((reason) => (
          <li key={reason}>Waits because {reason}</li>
        ))}
      </ul>
      <dl className="approvals-facts">
        <div>
          <dt>Agent</dt>
          <dd>{approval.agent}</dd>
        </div>
        <div>
          <dt>Account</dt>
          <dd>
            {approval.account} at {approval.venue}
          </dd>
        </div>
        <div>
          <dt>Asked at</dt>
          <dd>
            {exact(approval.reference)} · <Age at={approval.requested_at} />
          </dd>
        </div>
        <div>
          <dt>Price now</dt>
          <dd>
            {exact(approval.price)}
            {approval.price_at !== null && (
              <>
                {' '}
                · seen <Age at={approval.price_at} />
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>Drift</dt>
          <dd className={approval.drifted ? 'warn' : ''}>
            <Gauge small label={`Drift: ${drift(approval)}`} value={driftShare(approval)} warn={0.75} />{' '}
            {drift(approval)}
          </dd>
        </div>
        <div>
          <dt>Signatures</dt>
          <dd>
            {approval.approved} of {approval.needed} needed, {approval.signers.length} may sign · {deciders(approval)}
          </dd>
        </div>
      </dl>
      {approval.objection && (
        <p className="approvals-objection" role="status">
          ⚠ {approval.objection}
        </p>
      )}
      {approval.faults.map((fault) => (
        <p key={fault} className="danger">
          Counts for nothing: {fault}
        </p>
      ))}
      <details>
        <summary>Every field of the order</summary>
        <dl className="approvals-fields">
          {approval.order.map((field) => (
            <div key={field.name}>
              <dt>{field.name}</dt>
              <dd>{field.value}</dd>
            </div>
          ))}
        </dl>
      </details>
      <div className="approvals-buttons">
        <RightButton right="decide" variant="default" onClick={() => onDecide('reject')}>
          Reject …
        </RightButton>
        <RightButton
          right="decide"
          disabled={!approval.may_approve || approval.state === 'approved'}
          onClick={() => onDecide('approve')}
        >
          Approve …
        </RightButton>
      </div>
    </article>
  )
}
