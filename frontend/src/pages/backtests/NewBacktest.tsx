import { Button, Modal, MultiSelect, Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { answered, api } from '../../api/client'
import { utcDate } from '../../format'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { useMarkets, useStart } from './queries'
import { type Draft, EMPTY, orderOf } from './words'

/** The list itself scrolls: a box around it could not be reached by keyboard. */
const LIST = { withScrollArea: false, styles: { options: { maxHeight: 220, overflowY: 'auto' as const } } }

/** The form for a backtest of a strategy that is there already. */
export function NewBacktest({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title="New backtest" size="lg">
      <Form close={close} />
    </Modal>
  )
}

function Form({ close }: { close: () => void }) {
  const navigate = useNavigate()
  const [draft, setDraft] = useState<Draft>(EMPTY)
  const [strategy, setStrategy] = useState<string | null>(null)
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const markets = useMarkets()
  const strategies = useQuery({
    queryKey: ['strategies'],
    queryFn: () => answered(api.GET('/api/strategies')),
  })
  const start = useStart()
  const market = markets.data?.find((each) => each.data === draft.data)
  const bars = [...new Set(market?.instruments.map((each) => each.bar))]
  const symbols = [...new Set(market?.instruments.map((each) => each.symbol))]
  const first = market && Math.min(...market.instruments.map((each) => each.first))
  const last = market && Math.max(...market.instruments.map((each) => each.last))
  return (
    <form
      className="bt-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (strategy === null) return
        start.mutate(orderOf(draft, { name: strategy }), {
          onSuccess: (run) => {
            close()
            navigate(`/backtests/${run.id}`)
          },
        })
      }}
    >
      <Select
        {...LIST}
        label="Strategy"
        placeholder="Pick one"
        searchable
        required
        data={[
          { group: 'Your own', items: named(strategies.data?.filter((each) => each.own)) },
          { group: 'Templates', items: named(strategies.data?.filter((each) => !each.own)) },
        ]}
        value={strategy}
        onChange={setStrategy}
        nothingFoundMessage="There is none of this name"
      />
      <Select
        {...LIST}
        label="Market"
        data={markets.data?.map((each) => ({ value: each.data, label: each.title })) ?? []}
        value={draft.data}
        allowDeselect={false}
        onChange={(value) => change({ data: value === 'catalog' ? 'catalog' : 'sample', universe: [], bar: null })}
        {...(market?.sealed_from
          ? { description: `Bars from ${utcDate(market.sealed_from)} on are sealed: they are not read.` }
          : {})}
      />
      <MultiSelect
        {...LIST}
        label="Instruments"
        placeholder={draft.universe.length > 0 ? '' : 'All of them'}
        data={symbols}
        value={draft.universe}
        onChange={(universe) => change({ universe })}
        searchable
        clearable
        limit={100}
      />
      <Select
        {...LIST}
        label="Bars"
        data={bars}
        value={draft.bar ?? (bars.length === 1 ? (bars[0] ?? null) : null)}
        onChange={(bar) => change({ bar })}
        placeholder="Pick a size"
        allowDeselect={false}
      />
      <TextInput
        label="From"
        placeholder={first ? utcDate(first) : 'the first bar'}
        description="first bar traded; earlier bars warm up"
        value={draft.from}
        onChange={(event) => change({ from: event.currentTarget.value })}
      />
      <TextInput
        label="To"
        placeholder={last ? utcDate(last) : 'the last bar'}
        description="no bar from here on is read"
        value={draft.to}
        onChange={(event) => change({ to: event.currentTarget.value })}
      />
      <TextInput
        label="Capital"
        description="quote currency, not compounded"
        inputMode="decimal"
        value={draft.capital}
        onChange={(event) => change({ capital: event.currentTarget.value })}
      />
      <TextInput
        label="Fee a side, percent"
        description="left empty: as in the settings"
        inputMode="decimal"
        value={draft.fee}
        onChange={(event) => change({ fee: event.currentTarget.value })}
      />
      <TextInput
        label="Slippage a side, percent"
        description="left empty: as in the settings"
        inputMode="decimal"
        value={draft.slippage}
        onChange={(event) => change({ slippage: event.currentTarget.value })}
      />
      <div className="bt-form-end">
        {[markets, strategies].map((each, at) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: they never change places
          each.isError ? <ProblemNotice key={at} error={each.error} retry={() => each.refetch()} /> : null,
        )}
        {start.isError && <ProblemNotice error={start.error} />}
        <p className="muted">Each backtest whose result is shown counts as a trial in the ledger.</p>
        <div className="bt-row">
          <Button type="submit" loading={start.isPending} disabled={strategy === null}>
            Run backtest
          </Button>
          <Button variant="default" onClick={close}>
            Close
          </Button>
        </div>
      </div>
    </form>
  )
}

const named = (strategies: readonly { name: string; title: string }[] | undefined) =>
  strategies?.map(({ name, title }) => ({ value: name, label: title || name })) ?? []
