import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answered, api, type Schema } from '../../api/client'
import { utc } from '../../format'
import { Age } from '../../parts/Age'
import { Card } from '../../parts/Card'
import { DataTable } from '../../parts/DataTable'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { IntegrityMark } from './IntegrityMark'
import { fact, facts } from './words'

const KINDS = [
  'TradingStopped',
  'TradingResumed',
  'ApprovalSigned',
  'RejectionSigned',
  'PositionAdopted',
  'SettingChanged',
  'StrategySaved',
]

/** Everything that people have changed, newest first: who, what, when, and whether the log is whole. */
export function AuditCard() {
  const [text, setText] = useState('')
  const [what, setWhat] = useState('')
  const [settled] = useDebouncedValue(text.trim(), 300)
  const list = useInfiniteQuery({
    queryKey: ['audit', what, settled],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      answered(
        api.GET('/api/audit', {
          params: {
            query: {
              limit: 50,
              ...(pageParam === null ? {} : { cursor: pageParam }),
              ...(what ? { what } : {}),
              ...(settled ? { text: settled } : {}),
            },
          },
        }),
      ),
    getNextPageParam: (page) => page.next,
    staleTime: 0,
  })
  const rows = list.data?.pages.flatMap((page) => page.entries)
  return (
    <Card title="Audit log" aside={<IntegrityMark />}>
      <div className="risk-filters">
        <TextInput
          label="Anywhere in the line"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          maxLength={200}
          autoComplete="off"
        />
        <NativeSelect
          label="What"
          value={what}
          onChange={(event) => setWhat(event.currentTarget.value)}
          data={[{ value: '', label: 'Everything' }, ...KINDS.map((kind) => ({ value: kind, label: fact(kind) }))]}
        />
        <Button component="a" variant="default" href="/api/audit/export" download>
          Export
        </Button>
      </div>
      {list.error && <ProblemNotice error={list.error} retry={() => void list.refetch()} />}
      <DataTable<Schema<'AuditEntry'>>
        label="Audit log"
        rows={rows}
        keyOf={(row) => row.id}
        empty={what || settled ? 'Nothing matches.' : 'Nobody has changed anything yet. Each change is entered here.'}
        height={480}
        columns={[
          {
            id: 'when',
            title: 'When',
            cell: (row) => (
              <span className="risk-use">
                {utc(row.time)}
                <div className="settings-meaning">
                  <Age at={row.time} />
                </div>
              </span>
            ),
          },
          { id: 'what', title: 'What', cell: (row) => fact(row.what) },
          {
            id: 'by',
            title: 'Who',
            cell: (row) => (
              <>
                {row.by}
                <div className="settings-meaning risk-use">{row.via || row.source}</div>
              </>
            ),
          },
          {
            id: 'facts',
            title: 'Details',
            cell: (row) => <span className="settings-meaning">{facts(row.facts)}</span>,
            phone: false,
          },
        ]}
      />
      {list.hasNextPage && (
        <Button mt={8} variant="default" onClick={() => void list.fetchNextPage()} disabled={list.isFetchingNextPage}>
          {list.isFetchingNextPage ? 'Reading …' : 'Older'}
        </Button>
      )}
    </Card>
  )
}
