import { Group } from '@mantine/core'
import { FlaskConical } from 'lucide-react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { Link } from 'react-router'
import { useKept } from '../../parts/kept'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { Curves } from './Curves'
import { KeyFigures } from './KeyFigures'
import { isOpen, useBacktest, useStart } from './queries'
import { RunProgress } from './RunProgress'
import './backtests.css'
import { RightButton } from '../../parts/RightButton'

/** The last two that were done in this browser from a builder: the newer one first. */
const KEY = 'backtests.latest'

/** Backtests a strategy where it stands, at once, on the sample market, and says what came of it. */
export function BacktestPanel({ text }: { text: string }) {
  const [id, setId] = useState<string | null>(null)
  const [latest, keepLatest] = useKept(KEY)
  const start = useStart()
  const query = useBacktest(id)
  const run = query.data
  const open = isOpen(run) || start.isPending
  const [newest, before] = (latest ?? '').split(',')
  const done = run?.state === 'done' ? run.id : null
  const { mutate } = start
  const begin = useCallback(() => mutate({ text }, { onSuccess: (next) => setId(next.id) }), [mutate, text])
  const begun = useRef<string | null>(null)
  useEffect(() => {
    if (begun.current === text || text.trim() === '') return
    begun.current = text
    begin()
  }, [text, begin])
  const place = useRef<HTMLDivElement>(null)
  // Whoever has pressed a button far above is shown what comes of it.
  useEffect(() => {
    if (open || done) place.current?.scrollIntoView({ block: 'nearest' })
  }, [open, done])
  useEffect(() => {
    if (done && done !== newest) keepLatest([done, newest].filter(Boolean).join(','))
  }, [done, newest, keepLatest])
  return (
    <div className="bt-panel" ref={place}>
      <Group gap={8}>
        <RightButton
          right="build"
          size="compact-md"
          leftSection={<FlaskConical size={14} aria-hidden />}
          loading={start.isPending}
          disabled={open || text.trim() === ''}
          onClick={begin}
        >
          Backtest again
        </RightButton>
        {done && <Link to={`/backtests/${done}`}>Open the whole backtest</Link>}
        {done && done === newest && before && (
          <Link to={`/backtests/compare?ids=${before},${done}`}>Compare with the previous one</Link>
        )}
      </Group>
      {start.isError && <ProblemNotice error={start.error} />}
      {query.isError && <ProblemNotice error={query.error} retry={() => query.refetch()} />}
      {run && isOpen(run) && <RunProgress run={run} />}
      {run?.error && (
        <p className="warn" role="alert">
          <span aria-hidden>⚠ </span>
          {[run.error.where, run.error.what, run.error.hint].filter(Boolean).join(': ')}
        </p>
      )}
      {run && !isOpen(run) && !run.error && !run.result && <p className="muted">{run.text}.</p>}
      {run?.result && (
        <>
          <KeyFigures result={run.result} />
          <Curves run={run} result={run.result} height={260} />
          <p className="muted">{run.result.luck.text}</p>
        </>
      )}
    </div>
  )
}
