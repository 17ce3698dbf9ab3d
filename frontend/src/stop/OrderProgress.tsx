import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { answered, api, type Schema } from '../api/client'
import { age, counted, sentence } from '../format'
import { ProblemNotice } from '../parts/ProblemNotice'
import { Unattended } from './Unattended'
import { type Verdict, verdict } from './words'

const GLYPH: Record<Verdict['tone'], string> = { wait: '◌', good: '✓', bad: '⚠' }
const STATE: Record<Schema<'RunHeard'>['state'], string> = {
  waiting: '◌ no word yet',
  working: '◌ at it',
  done: '✓ done',
  ended: '⚠ ended',
}

/** Follows an order until every run has said that it is done. */
export function OrderProgress({ given }: { given: Schema<'OrderAnswers'> }) {
  const [began] = useState(() => Date.now())
  const [now, setNow] = useState(began)
  const number = given.order.number
  const { data, error } = useQuery({
    queryKey: ['standing', 'order', number],
    queryFn: () => answered(api.GET('/api/standing/orders/{number}', { params: { path: { number } } })),
    initialData: given,
    initialDataUpdatedAt: began,
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.done && state.data.runs.length ? false : 500),
  })
  const open = !data.done
  useEffect(() => {
    if (!open) return
    const timer = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(timer)
  }, [open])
  const { tone, title } = verdict(data, now - began)
  return (
    <div className="stop-progress">
      <div className={`stop-verdict stop-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
        <span aria-hidden="true">{GLYPH[tone]}</span> {title}
        {open && data.runs.length > 0 && <span className="muted"> · {age(now - began)}</span>}
      </div>
      <p className="stop-text">{sentence(data.text)}.</p>
      {data.runs.length > 0 && (
        <ul className="stop-runs" aria-label="What the runs say">
          {data.runs.map((run) => (
            <li key={run.run}>
              <strong>{run.run}</strong>{' '}
              <span className={run.state === 'ended' ? 'danger' : ''}>{STATE[run.state]}</span>
              {run.text && <div className="muted">{run.text}</div>}
              {run.positions !== null && run.state !== 'done' && (
                <div className="muted">{counted(run.positions, 'position')} open</div>
              )}
            </li>
          ))}
        </ul>
      )}
      {data.order.ordered === 'flatten' && <Unattended runs={data.unattended} />}
      {error && <ProblemNotice error={error} />}
      <p className="muted">
        Order {number}, recorded in the audit log. It holds through restarts and new days until somebody resumes.
      </p>
    </div>
  )
}
