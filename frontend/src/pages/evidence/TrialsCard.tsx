import { CloseButton, Select, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import type { Schema } from '../../api/client'
import { count, number, percent, signedPercent, tone, utc, utcDate } from '../../format'
import { Card } from '../../parts/Card'
import { Pager } from '../../parts/Pager'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { TRIALS_DEEPEST, TRIALS_SHOWN, type TrialOrder, useTrials } from './asked'
import { ScrollTable } from './ScrollTable'
import { SortHead } from './SortHead'

/** Every trial: found, sorted and turned over page by page; what is asked stands in the address. */
export function TrialsCard({ authors }: { authors: readonly Schema<'TallyModel'>[] }) {
  const [asked, setAsked] = useSearchParams()
  const [name, setName] = useState(asked.get('name') ?? '')
  const [wanted] = useDebouncedValue(name.trim(), 250)
  const order = (asked.get('order') ?? 'recorded') as TrialOrder
  const descending = asked.get('way') !== 'up'
  const offset = Math.max(0, Number(asked.get('from')) || 0)
  const author = asked.get('author')
  const run = asked.get('run')
  const { data, error, refetch } = useTrials({
    order,
    descending,
    offset,
    ...(author ? { author } : {}),
    ...(run ? { run } : {}),
    ...(wanted ? { name: wanted } : {}),
  })
  const ask = (changes: Record<string, string | null>) =>
    setAsked(
      (now) => {
        const next = new URLSearchParams(now)
        for (const [key, value] of Object.entries({ from: null, ...changes }))
          if (value === null || value === '') next.delete(key)
          else next.set(key, value)
        return next
      },
      { replace: true, preventScrollReset: true },
    )
  const head = (of: TrialOrder, text: string, className?: string) => (
    <SortHead
      order={of}
      sorted={order}
      descending={descending}
      sort={(by, down) => ask({ order: by, way: down ? null : 'up' })}
      {...(className ? { className } : {})}
    >
      {text}
    </SortHead>
  )
  return (
    <Card title="Every trial">
      <search className="evidence-filters">
        <TextInput
          size="xs"
          label="Name of the strategy"
          value={name}
          maxLength={200}
          onChange={(event) => {
            setName(event.currentTarget.value)
            ask({ name: event.currentTarget.value.trim() })
          }}
        />
        <Select
          size="xs"
          label="Author"
          clearable
          clearButtonProps={{ 'aria-label': 'Any author' }}
          placeholder="any"
          data={authors.map((each) => each.name)}
          value={author}
          onChange={(value) => ask({ author: value })}
        />
        {run && (
          <span className="evidence-filter">
            of campaign <code>{run}</code>
            <CloseButton size="sm" aria-label="Of any campaign" onClick={() => ask({ run: null })} />
          </span>
        )}
      </search>
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {data && data.total === 0 && <p className="muted">No trial is like that.</p>}
      {data && data.total > 0 && (
        <>
          <ScrollTable label="Trials">
            <thead>
              <tr>
                {head('recorded', 'Tried', 'no-phone')}
                {head('name', 'Strategy')}
                <th scope="col" className="no-phone">
                  Author
                </th>
                <th scope="col" className="no-phone">
                  Made by
                </th>
                <th scope="col" className="no-phone">
                  Bars from, to
                </th>
                {head('sharpe', 'Sharpe', 'numbers')}
                {head('total_return', 'Return', 'numbers')}
                {head('max_drawdown', 'Drawdown', 'numbers no-phone')}
                {head('trades', 'Trades', 'numbers no-phone')}
                {head('bars', 'Bars', 'numbers no-phone')}
              </tr>
            </thead>
            <tbody>
              {data.trials.map((trial) => (
                <tr key={trial.id}>
                  <td className="no-phone" title={`${utc(trial.recorded_at)} UTC`}>
                    {utcDate(trial.recorded_at)}
                  </td>
                  <td>
                    <Link to={`/evidence/strategies/${trial.content_hash}`}>
                      <bdi>{trial.name || trial.content_hash.slice(0, 12)}</bdi>
                    </Link>
                  </td>
                  <td className="no-phone">
                    <bdi>{trial.author}</bdi>
                  </td>
                  <td className="no-phone">{trial.origin}</td>
                  <td className="no-phone">
                    {utcDate(trial.first)} to {utcDate(trial.last)}
                  </td>
                  <td className="numbers">{number(trial.sharpe)}</td>
                  <td className={`numbers ${tone(trial.total_return)}`}>{signedPercent(trial.total_return)}</td>
                  <td className="numbers no-phone">{percent(trial.max_drawdown)}</td>
                  <td className="numbers no-phone">{count(trial.trades)}</td>
                  <td className="numbers no-phone">{count(trial.bars)}</td>
                </tr>
              ))}
            </tbody>
          </ScrollTable>
          <Pager
            noun="trials"
            offset={offset}
            shown={data.trials.length}
            total={data.total}
            step={TRIALS_SHOWN}
            {...(order === 'recorded' ? {} : { most: TRIALS_DEEPEST })}
            go={(from) => ask({ from: from > 0 ? String(from) : null })}
          />
          <p className="muted">
            All of these are net of costs and in-sample: they were chosen among, and prove nothing.
          </p>
        </>
      )}
    </Card>
  )
}
