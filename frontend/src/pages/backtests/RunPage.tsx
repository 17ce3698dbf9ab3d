import { Alert, Button, Skeleton } from '@mantine/core'
import { Download, Pin, PinOff, RotateCcw, Trash2 } from 'lucide-react'
import { Link, useNavigate, useParams, useSearchParams } from 'react-router'
import { sentence, utc } from '../../format'
import { Card } from '../../parts/Card'
import { Page } from '../../parts/Page'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { RightButton } from '../../parts/RightButton'
import { Assumptions } from './Assumptions'
import { Costs } from './Costs'
import { Curves } from './Curves'
import { Doubts } from './Doubts'
import { KeyFigures } from './KeyFigures'
import { Months } from './Months'
import { type Detail, isOpen, type Result, useBacktest, usePin, useRemove, useStart } from './queries'
import { RunProgress } from './RunProgress'
import { StateBadge } from './StateBadge'
import { Trades } from './Trades'
import { TradeView } from './TradeView'
import { marketOf, rate, seconds, span } from './words'

/** A backtest: where it stands, and what came of it. */
export function RunPage() {
  const { id = '' } = useParams()
  const query = useBacktest(id)
  const run = query.data
  return (
    <Page title={run ? `Backtest of ${run.name}` : 'Backtest'} actions={run && <Actions run={run} />}>
      <Link to="/backtests">All backtests</Link>
      {query.isError && <ProblemNotice error={query.error} retry={() => query.refetch()} />}
      {query.isPending && <Skeleton height={160} radius={8} />}
      {run && (
        <>
          <Facts run={run} />
          {isOpen(run) && (
            <Card title="Progress">
              <RunProgress run={run} />
            </Card>
          )}
          {run.error && (
            <Alert color="danger" variant="outline" role="alert" title={sentence(run.error.what)}>
              {run.error.where && !FIELDS.has(run.error.where) && <div>At {run.error.where}.</div>}
              {run.error.hint && <div>{sentence(run.error.hint)}.</div>}
            </Alert>
          )}
          {run.result && <Found run={run} result={run.result} />}
        </>
      )}
    </Page>
  )
}

function Actions({ run }: { run: Detail }) {
  const navigate = useNavigate()
  const [pin, remove] = [usePin(), useRemove()]
  const again = useStart()
  return (
    <div className="bt-row">
      {run.state === 'done' && (
        <Button
          component="a"
          href={`/api/backtests/${run.id}/report`}
          download
          size="compact-md"
          variant="default"
          leftSection={<Download size={14} aria-hidden />}
        >
          Report
        </Button>
      )}
      {(run.state === 'interrupted' || run.state === 'cancelled') && run.text !== '' && (
        <Again run={run} again={again} />
      )}
      <RightButton
        right="build"
        size="compact-md"
        variant="default"
        leftSection={run.pinned ? <PinOff size={14} aria-hidden /> : <Pin size={14} aria-hidden />}
        loading={pin.isPending}
        onClick={() => pin.mutate({ id: run.id, pinned: !run.pinned })}
      >
        {run.pinned ? 'Unpin' : 'Pin'}
      </RightButton>
      {!isOpen(run) && (
        <RightButton
          right="build"
          size="compact-md"
          variant="default"
          leftSection={<Trash2 size={14} aria-hidden />}
          loading={remove.isPending}
          onClick={() => remove.mutate(run.id, { onSuccess: () => navigate('/backtests') })}
        >
          Remove
        </RightButton>
      )}
      {[pin, remove, again].map((each, at) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: they never change places
        each.isError ? <ProblemNotice key={at} error={each.error} /> : null,
      )}
    </div>
  )
}

function Again({ run, again }: { run: Detail; again: ReturnType<typeof useStart> }) {
  const navigate = useNavigate()
  return (
    <RightButton
      right="build"
      size="compact-md"
      leftSection={<RotateCcw size={14} aria-hidden />}
      loading={again.isPending}
      onClick={() =>
        again.mutate(
          {
            text: run.strategy,
            data: run.data === 'catalog' ? 'catalog' : 'sample',
            universe: run.universe,
            bar: run.bar,
            from: run.from,
            to: run.to,
            capital: run.capital,
            fee: run.fee,
            slippage: run.slippage,
          },
          { onSuccess: (next) => navigate(`/backtests/${next.id}`) },
        )
      }
    >
      Run again
    </RightButton>
  )
}

function Facts({ run }: { run: Detail }) {
  const { result } = run
  const instruments = result?.instruments.map((each) => each.symbol) ?? []
  return (
    <p className="bt-facts">
      <StateBadge state={run.state} />
      <span>{marketOf({ ...run, universe: run.universe ?? (instruments.length > 0 ? instruments : null) })}</span>
      {result && (
        <span>
          {Number(result.figures.bars).toLocaleString('en-US')} bars of {result.bar}, {span(result.first, result.last)}
        </span>
      )}
      <span>capital {Number(run.capital).toLocaleString('en-US')}</span>
      <span>
        fee {rate(run.fee)}, slippage {rate(run.slippage)} a side
      </span>
      <span className="muted">
        asked for {utc(run.created).slice(0, 16)} UTC{run.seconds === null ? '' : `, took ${seconds(run.seconds)}`}
      </span>
    </p>
  )
}

function Found({ run, result }: { run: Detail; result: Result }) {
  const [search, setSearch] = useSearchParams()
  const named = Number(search.get('trade') ?? '')
  const chosen = Number.isInteger(named) && named > 0 && named <= result.trades ? named - 1 : null
  const choose = (number: number) =>
    setSearch(number < 0 ? {} : { trade: String(number + 1) }, { replace: true, preventScrollReset: true })
  return (
    <>
      {result.warnings.length > 0 && (
        <ul className="bt-warnings" aria-label="Warnings">
          {result.warnings.map((warning) => (
            <li key={warning}>
              <span aria-hidden>⚠ </span>
              {warning}
            </li>
          ))}
        </ul>
      )}
      <KeyFigures result={result} />
      <Curves run={run} result={result} />
      <TradeView run={run} result={result} chosen={chosen} choose={choose} />
      <Trades run={run} result={result} chosen={chosen} choose={choose} />
      <Months result={result} />
      <div className="bt-columns">
        <Costs run={run} result={result} />
        <Doubts result={result} />
        <Assumptions run={run} result={result} />
      </div>
    </>
  )
}

/** Places that the words themselves name. */
const FIELDS = new Set(['from', 'to', 'bar', 'data', 'universe', 'text'])
