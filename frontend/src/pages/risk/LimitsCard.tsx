import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answered, api, type Schema } from '../../api/client'
import { UNKNOWN } from '../../format'
import { Card } from '../../parts/Card'
import { DataTable } from '../../parts/DataTable'
import { Gauge } from '../../parts/Gauge'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { RightButton } from '../../parts/RightButton'
import { Words } from '../../parts/Words'
import { SettingDialog } from '../settings/SettingDialog'
import { SourceMark } from '../settings/SourceMark'
import { useSettings } from '../settings/useSettings'
import { shown } from '../settings/values'
import { usedText } from './words'

/** Each limit: what is set and where, what the run at work holds itself to, and how far it is used. */
export function LimitsCard({ currency }: { currency: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['settings', 'limits'],
    queryFn: () => answered(api.GET('/api/limits')),
    refetchInterval: 5_000,
    staleTime: 0,
  })
  const settings = useSettings()
  const [editing, setEditing] = useState<string | null>(null)
  const [all, setAll] = useState(false)
  const open = data?.find((row) => row.setting.name === editing)?.setting
  const approvals = data?.some((row) => row.setting.group === 'Approvals' && row.in_force !== null) ?? false
  const rows = data?.filter(
    ({ setting }) =>
      all ||
      (setting.value !== null && setting.value !== '' && (setting.group === 'Limits of the gate' || approvals)) ||
      setting.source !== 'default',
  )
  const value = (row: Schema<'LimitRow'>, text: string | null) => shown(row.setting.unit, text, currency)
  // What is always in force and is not in the run's journal is not known here.
  const inForce = (row: Schema<'LimitRow'>) =>
    row.in_force !== null ? value(row, row.in_force) : row.setting.default === null ? 'no limit' : UNKNOWN
  return (
    <Card
      title="Limits"
      aside={
        <Button size="compact-sm" variant="default" onClick={() => setAll(!all)} aria-pressed={all}>
          {all ? 'Only those in force' : 'Show all'}
        </Button>
      }
    >
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {settings.data?.trouble && <p className="danger">⚠ {settings.data.trouble}</p>}
      <DataTable
        label="Limits"
        rows={rows}
        keyOf={(row) => row.setting.name}
        empty="No limit is set."
        columns={[
          {
            id: 'limit',
            title: 'Limit',
            cell: (row) => (
              <>
                {row.setting.title}
                <div className="settings-meaning no-phone">{row.setting.meaning}</div>
              </>
            ),
            by: (row) => row.setting.title,
          },
          {
            id: 'set',
            title: 'Set',
            cell: (row) => (
              <>
                {value(row, row.setting.value)} <SourceMark setting={row.setting} />
              </>
            ),
          },
          { id: 'force', title: 'In the run', cell: (row) => inForce(row), phone: false },
          {
            id: 'used',
            title: 'Used now',
            cell: (row) => (
              <span className="risk-use">
                {row.share !== null && (
                  <Gauge small label={`${row.setting.title}: used`} value={row.share} warn={0.75} stop={0.9} />
                )}{' '}
                {row.used === null ? '' : `${value(row, row.used)} · `}
                {usedText(row)}
              </span>
            ),
            by: (row) => row.share,
          },
          {
            id: 'change',
            title: 'Change',
            cell: (row) =>
              row.setting.editable ? (
                <RightButton
                  right="admin"
                  size="compact-sm"
                  variant="default"
                  aria-label={`Change ${row.setting.title}`}
                  onClick={() => setEditing(row.setting.name)}
                >
                  Change …
                </RightButton>
              ) : (
                <span className="settings-meaning">
                  <Words text={row.setting.objection ?? ''} />
                </span>
              ),
          },
        ]}
      />
      {open && settings.data && (
        <SettingDialog
          setting={open}
          word={settings.data.loosen_word}
          currency={currency}
          onClose={() => setEditing(null)}
        />
      )}
    </Card>
  )
}
