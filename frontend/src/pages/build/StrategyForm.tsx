import { Textarea, TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { Session } from './session'
import type { Check, Graph } from './types'
import { faultText } from './view'

interface Props {
  session: Session
  graph: Graph
  check: Check
}

/** What stands beside the program: name, bars, instruments, and where it comes from. */
export function StrategyForm({ session, graph, check }: Props) {
  const error = (where: string) => {
    const fault = check.problems.find((each) => each.where === where)
    return fault && faultText(fault)
  }
  const symbols = (graph.universe ?? []).join(', ')
  const [typed, setTyped] = useState(symbols)
  useEffect(() => setTyped((now) => (listOf(now).join(', ') === symbols ? now : symbols)), [symbols])
  return (
    <form className="build-form" aria-label="Strategy" onSubmit={(event) => event.preventDefault()}>
      <TextInput
        size="xs"
        label="Name"
        value={graph.name}
        maxLength={80}
        error={error('name')}
        onChange={(event) => {
          const name = event.currentTarget.value
          session.editGraph('name', (now) => ({ ...now, name }))
        }}
      />
      <TextInput
        size="xs"
        label="Bar"
        description="such as 1h or 1d; empty for bars of any size"
        value={graph.bar ?? ''}
        maxLength={50}
        error={error('bar')}
        onChange={(event) => {
          const bar = event.currentTarget.value || null
          session.editGraph('bar', (now) => ({ ...now, bar }))
        }}
      />
      <TextInput
        size="xs"
        label="Instruments"
        description="symbols by commas; empty for the whole market"
        value={typed}
        maxLength={2_000}
        error={error('universe')}
        onChange={(event) => {
          setTyped(event.currentTarget.value)
          const found = listOf(event.currentTarget.value)
          session.editGraph('universe', (now) => ({ ...now, universe: found.length ? found : null }))
        }}
      />
      <Textarea
        size="xs"
        label="Source"
        description="where it comes from"
        value={graph.source ?? ''}
        maxLength={500}
        autosize
        error={error('source')}
        onChange={(event) => {
          const source = event.currentTarget.value
          session.editGraph('source', (now) => ({ ...now, source }))
        }}
      />
      <Textarea
        size="xs"
        label="Claim"
        description="what it is believed to earn from"
        value={graph.claim ?? ''}
        maxLength={500}
        autosize
        error={error('claim')}
        onChange={(event) => {
          const claim = event.currentTarget.value
          session.editGraph('claim', (now) => ({ ...now, claim }))
        }}
      />
      {check.content_hash && (
        <dl className="build-facts">
          <dt>Warm-up</dt>
          <dd>{check.warm_up} bars</dd>
          <dt>Content hash</dt>
          <dd>
            <code>{check.content_hash.slice(0, 12)}</code>
          </dd>
          <dt>Family hash</dt>
          <dd>
            <code>{check.family_hash?.slice(0, 12)}</code>
          </dd>
        </dl>
      )}
    </form>
  )
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((symbol) => symbol.trim())
    .filter(Boolean)
