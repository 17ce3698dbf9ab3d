import { Badge, Button, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { FilePlus2, Search, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { Link, useLocation, useNavigate } from 'react-router'
import { answered, api, ProblemError, type Schema } from '../../api/client'
import { number, signedPercent, tone } from '../../format'
import { Page } from '../../parts/Page'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { RightButton } from '../../parts/RightButton'
import { EMPTY } from './session'

type Summary = Schema<'StrategySummary'>

/** Every strategy that there is to begin with: one's own, and the starter library. */
export function Gallery() {
  const [sought, setSought] = useState('')
  const listed = useQuery({ queryKey: ['strategies'], queryFn: () => answered(api.GET('/api/strategies')) })
  const begin = useBegin(listed.data ?? [])
  const traded = tradedOf(useLocation().state)
  const words = sought.trim().toLowerCase()
  const found = (listed.data ?? []).filter((each) =>
    `${each.name} ${each.title} ${each.sentence} ${each.source} ${each.claim}`.toLowerCase().includes(words),
  )
  return (
    <Page
      title="Build"
      actions={
        <RightButton
          right="build"
          variant="default"
          size="compact-md"
          leftSection={<FilePlus2 size={16} />}
          loading={begin.isPending}
          onClick={() => begin.mutate(null)}
        >
          Empty strategy
        </RightButton>
      }
    >
      {traded && (
        <section className="card build-traded">
          <p>
            An agent trades by <bdi>“{traded.name}”</bdi>, which is neither in the library nor among yours.
          </p>
          <RightButton
            right="build"
            size="compact-md"
            loading={begin.isPending}
            onClick={() => begin.mutate(traded.text)}
          >
            Save it as mine and open it
          </RightButton>
        </section>
      )}
      <p className="muted build-lead">
        Open a strategy, change a number, and test it. One of the library becomes your own with your first change.
      </p>
      <TextInput
        className="build-search"
        value={sought}
        onChange={(event) => setSought(event.currentTarget.value)}
        leftSection={<Search size={16} />}
        placeholder="Search by name, idea or source"
        aria-label="Search strategies"
      />
      {listed.isError && <ProblemNotice error={listed.error} retry={() => void listed.refetch()} />}
      {begin.isError && <ProblemNotice error={begin.error} />}
      {listed.isPending && <p className="muted">Loading the strategies …</p>}
      {listed.data && (
        <>
          <Cards title="Yours" found={found.filter((each) => each.own)} />
          <Cards title="Starter library" found={found.filter((each) => !each.own)} />
          {found.length === 0 && <p className="muted">No strategy says “{sought}”.</p>}
        </>
      )}
    </Page>
  )
}

/** What the page of an agent has brought along. */
function tradedOf(state: unknown): { text: string; name: string } | null {
  const brought = state as { text?: unknown; name?: unknown } | null
  return typeof brought?.text === 'string' && typeof brought.name === 'string'
    ? { text: brought.text, name: brought.name }
    : null
}

function Cards({ title, found }: { title: string; found: readonly Summary[] }) {
  if (found.length === 0) return null
  return (
    <section aria-label={title}>
      <h2 className="build-cards-title">
        {title} <span className="muted">{found.length}</span>
      </h2>
      <ul className="build-cards">
        {found.map((each) => (
          <Card key={`${each.own} ${each.name}`} strategy={each} />
        ))}
      </ul>
    </section>
  )
}

function Card({ strategy }: { strategy: Summary }) {
  return (
    <li className="card build-card">
      <h3>
        <Link to={`/build/${strategy.name}`}>{strategy.title}</Link>
      </h3>
      <div className="build-card-marks">
        {strategy.own && <code>{strategy.name}</code>}
        {strategy.draft && <Badge variant="outline">Draft</Badge>}
        {strategy.on_fleet && <Badge variant="outline">On the fleet's list</Badge>}
        {strategy.bar && <Badge variant="outline">{strategy.bar}</Badge>}
      </div>
      <p className="build-card-sentence">{strategy.sentence || 'A draft that is not valid yet.'}</p>
      {strategy.source && <p className="muted build-card-source">{strategy.source}</p>}
      {strategy.last_backtest && (
        <p className="build-card-result">
          Last backtest:{' '}
          <span className={tone(strategy.last_backtest.total_return)}>
            {signedPercent(strategy.last_backtest.total_return)}
          </span>
          , Sharpe ratio {number(strategy.last_backtest.sharpe)}
        </p>
      )}
      {strategy.own && <RemoveButton strategy={strategy} />}
    </li>
  )
}

function RemoveButton({ strategy }: { strategy: Summary }) {
  const queries = useQueryClient()
  const fresh = () => void queries.invalidateQueries({ queryKey: ['strategies'] })
  const restore = useMutation({
    mutationFn: (ticket: string) => answered(api.POST('/api/strategies/restore', { body: { ticket } })),
    onSuccess: fresh,
  })
  const remove = useMutation({
    mutationFn: () => answered(api.DELETE('/api/strategies/{name}', { params: { path: { name: strategy.name } } })),
    onSuccess: ({ ticket }) => {
      fresh()
      const id = notifications.show({
        autoClose: 15_000,
        closeButtonProps: { 'aria-label': 'Close' },
        title: `“${strategy.title}” was set aside`,
        message: (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              restore.mutate(ticket)
              notifications.hide(id)
            }}
          >
            Undo
          </Button>
        ),
      })
    },
  })
  return (
    <div>
      <RightButton
        right="build"
        size="compact-xs"
        variant="default"
        leftSection={<Trash2 size={13} />}
        loading={remove.isPending}
        aria-label={`Remove ${strategy.title}`}
        onClick={() => remove.mutate()}
      >
        Remove
      </RightButton>
      {remove.error instanceof ProblemError && <p className="danger">{remove.error.problem.what}</p>}
    </div>
  )
}

/** An empty strategy, or one that an agent trades by, under the first free name. */
function useBegin(listed: readonly Summary[]) {
  const navigate = useNavigate()
  return useMutation({
    mutationFn: async (text: string | null) => {
      const taken = new Set(listed.map((each) => each.name))
      let number = 1
      while (taken.has(`untitled-${number}`)) number += 1
      const name = `untitled-${number}`
      const content = text === null ? { form: 'graph' as const, graph: EMPTY } : { form: 'text' as const, text }
      const body = { revision: 0, ...content }
      return answered(api.PUT('/api/strategies/{name}', { params: { path: { name } }, body }))
    },
    onSuccess: ({ name }) => navigate(`/build/${name}`),
  })
}
