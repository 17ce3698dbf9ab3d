import { useQuery } from '@tanstack/react-query'
import { answered, api } from '../../api/client'
import { counted, UNKNOWN } from '../../format'

/** Whether every hash of the audit's chain has been recomputed and agrees. */
export function IntegrityMark() {
  const { data, error } = useQuery({
    queryKey: ['audit', 'integrity'],
    queryFn: () => answered(api.GET('/api/audit/integrity')),
    staleTime: 0,
  })
  if (error) return <span className="muted">integrity {UNKNOWN}</span>
  if (!data) return <span className="muted">verifying …</span>
  if (!data.verified)
    return (
      <strong className="danger" role="alert">
        ⚠ The chain is broken: {data.broken}
      </strong>
    )
  return (
    <span className="risk-whole" title={`head ${data.head}`}>
      ✓ {counted(data.entries, 'entry', 'entries')}, chain whole, head <code>{data.head.slice(0, 12)}</code>
    </span>
  )
}
