import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answered, api } from '../../api/client'
import { sentence } from '../../format'
import { Age } from '../../parts/Age'
import { Card } from '../../parts/Card'
import { DataTable } from '../../parts/DataTable'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { RightButton } from '../../parts/RightButton'
import { ResumeDialog } from '../../stop/ResumeDialog'
import { StopDialog } from '../../stop/StopDialog'

const WORDS = { resume: '▶ Resume', stop_entries: '❚❚ Stop entries', flatten: '■ Flatten', halt: '■ Halt' }

/** What holds now, and every order that a person has given. */
export function StopsCard() {
  const standing = useQuery({
    queryKey: ['standing'],
    queryFn: () => answered(api.GET('/api/standing')),
    refetchInterval: 5_000,
  })
  const given = useQuery({
    queryKey: ['standing', 'orders'],
    queryFn: () => answered(api.GET('/api/standing/orders', { params: { query: { last: 100 } } })),
  })
  const [open, setOpen] = useState<'stop' | 'resume' | null>(null)
  const stopped = standing.data !== undefined && standing.data.order.ordered !== 'resume'
  return (
    <Card
      title="Stops"
      aside={
        stopped ? (
          <RightButton right="decide" size="compact-sm" variant="default" onClick={() => setOpen('resume')}>
            Resume …
          </RightButton>
        ) : (
          <RightButton right="decide" size="compact-sm" variant="default" onClick={() => setOpen('stop')}>
            Stop …
          </RightButton>
        )
      }
    >
      {standing.error && <ProblemNotice error={standing.error} retry={() => void standing.refetch()} />}
      {standing.data && (
        <p className={`risk-standing ${stopped ? 'danger' : ''}`} role="status">
          {stopped ? '■ ' : '● '}
          {stopped ? `${sentence(standing.data.order.text)}.` : 'Everything that the gate allows may be entered'}
          <span className="muted"> {stopped ? `${sentence(standing.data.answers.text)}.` : ''}</span>
        </p>
      )}
      <DataTable
        label="Orders that people have given"
        rows={given.data}
        keyOf={(row) => row.number}
        empty="Nobody has stopped anything yet."
        height={240}
        columns={[
          { id: 'what', title: 'Order', cell: (row) => `${WORDS[row.ordered]} (${row.number})` },
          { id: 'by', title: 'By', cell: (row) => row.by, by: (row) => row.by },
          { id: 'why', title: 'Why', cell: (row) => row.why, phone: false },
          { id: 'at', title: 'When', cell: (row) => <Age at={row.at} />, by: (row) => row.at },
        ]}
      />
      <StopDialog opened={open === 'stop'} onClose={() => setOpen(null)} />
      <ResumeDialog opened={open === 'resume'} onClose={() => setOpen(null)} />
    </Card>
  )
}
