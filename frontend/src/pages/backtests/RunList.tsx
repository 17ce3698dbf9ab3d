import { Button, Checkbox, Select, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { GitCompareArrows, Plus } from 'lucide-react'
import { useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { count, number, percent, signedPercent, tone } from '../../format'
import { Age } from '../../parts/Age'
import { Card } from '../../parts/Card'
import { type Column, DataTable } from '../../parts/DataTable'
import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { Pager } from '../../parts/Pager'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { RightButton } from '../../parts/RightButton'
import { NewBacktest } from './NewBacktest'
import { PAGE, type State, type Summary, useBacktests } from './queries'
import { RunProgress } from './RunProgress'
import { StateBadge } from './StateBadge'
import { MOST_COMPARED, marketOf, STATES, toggled } from './words'

/** All backtests, the newest first; several can be chosen and compared. */
export function RunList() {
  const navigate = useNavigate()
  const [making, setMaking] = useState(false)
  const [text, setText] = useState('')
  const [state, setState] = useState<State | ''>('')
  const [offset, setOffset] = useState(0)
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [wanted] = useDebouncedValue(text, 200)
  const query = useBacktests({ text: wanted, state, offset })
  const data = query.data
  const filtered = text !== '' || state !== ''
  return (
    <Page
      title="Backtests"
      actions={
        <RightButton
          right="build"
          size="compact-md"
          leftSection={<Plus size={14} aria-hidden />}
          onClick={() => setMaking(true)}
        >
          New backtest
        </RightButton>
      }
    >
      {query.isError && <ProblemNotice error={query.error} retry={() => query.refetch()} />}
      {data?.engine_text && (
        <p className="bt-engine" role="status">
          {data.engine_text} …
        </p>
      )}
      {data?.kept === 0 ? (
        <Empty
          title="No backtest yet"
          action={
            <RightButton right="build" leftSection={<Plus size={14} aria-hidden />} onClick={() => setMaking(true)}>
              Run the first one
            </RightButton>
          }
        >
          A backtest runs a strategy over bars of the past: what it would have earned, what trading would have cost, and
          how little that proves. Pick a template and run it on the sample market; it takes a few seconds.
        </Empty>
      ) : (
        <Card
          title="Runs"
          aside={
            <div className="bt-row">
              <TextInput
                size="xs"
                aria-label="Part of the strategy's name"
                placeholder="Strategy"
                value={text}
                onChange={(event) => {
                  setText(event.currentTarget.value)
                  setOffset(0)
                }}
              />
              <Select
                size="xs"
                aria-label="State"
                className="bt-narrow no-phone"
                allowDeselect={false}
                data={[{ value: '', label: 'Any state' }, ...states]}
                value={state}
                onChange={(value) => {
                  setState((value ?? '') as State | '')
                  setOffset(0)
                }}
              />
              <Button
                size="compact-sm"
                variant="default"
                leftSection={<GitCompareArrows size={14} aria-hidden />}
                disabled={chosen.length < 2}
                onClick={() => navigate(`/backtests/compare?ids=${chosen.join(',')}`)}
              >
                Compare{chosen.length > 0 ? ` ${chosen.length}` : ''}
              </Button>
            </div>
          }
        >
          {data?.backtests
            .filter((run) => run.state === 'running')
            .map((run) => (
              <RunProgress key={run.id} run={run} />
            ))}
          <DataTable
            label="Backtests, the newest first"
            columns={columnsOf(chosen, (id) => setChosen(toggled(chosen, id)))}
            rows={query.isError ? [] : data?.backtests}
            keyOf={(run) => run.id}
            empty={filtered ? 'None fits.' : 'There are none.'}
          />
          <Pager
            noun="backtests"
            offset={offset}
            shown={data?.backtests.length ?? 0}
            total={data?.total ?? 0}
            step={PAGE}
            go={setOffset}
          />
          <p className="chart-summary">
            {data && `${count(data.kept)} of at most ${count(data.most)} are kept; `}the oldest that are not pinned make
            room for new ones. Choose two to {MOST_COMPARED} that are done to compare them.
          </p>
        </Card>
      )}
      <NewBacktest opened={making} close={() => setMaking(false)} />
    </Page>
  )
}

const states = Object.entries(STATES).map(([value, { word }]) => ({ value, label: word }))

function columnsOf(chosen: readonly string[], toggle: (id: string) => void): Column<Summary>[] {
  return [
    {
      id: 'choose',
      title: 'Compare',
      cell: (run) => (
        <Checkbox
          size="sm"
          aria-label={`Compare ${run.name}, ${new Date(run.created).toISOString()}`}
          checked={chosen.includes(run.id)}
          disabled={run.state !== 'done' || (chosen.length >= MOST_COMPARED && !chosen.includes(run.id))}
          onChange={() => toggle(run.id)}
        />
      ),
    },
    {
      id: 'name',
      title: 'Strategy',
      cell: (run) => (
        <Link to={`/backtests/${run.id}`} className="bt-name">
          {run.name}
          {run.pinned && <span className="muted"> · pinned</span>}
        </Link>
      ),
    },
    { id: 'state', title: 'State', cell: (run) => <StateBadge state={run.state} /> },
    { id: 'market', title: 'Market', cell: marketOf, phone: false },
    {
      id: 'return',
      title: 'Return',
      cell: (run) => <span className={tone((run.total_return ?? 0) * 100)}>{signedPercent(run.total_return, 2)}</span>,
      numeric: true,
    },
    { id: 'sharpe', title: 'Sharpe', cell: (run) => number(run.sharpe), numeric: true, phone: false },
    { id: 'drawdown', title: 'Drawdown', cell: (run) => percent(run.max_drawdown), numeric: true, phone: false },
    { id: 'trades', title: 'Trades', cell: (run) => count(run.trades), numeric: true, phone: false },
    { id: 'created', title: 'Asked', cell: (run) => <Age at={run.created} />, numeric: true, phone: false },
  ]
}
