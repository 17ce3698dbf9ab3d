import { Button } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { Card } from '../../parts/Card'
import { DataTable } from '../../parts/DataTable'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { SettingDialog } from './SettingDialog'
import { SourceMark } from './SourceMark'
import { useSettings } from './useSettings'
import { shown } from './values'

/** Every setting: its value, where it comes from, and changing it for runs that start afterwards. */
export function ValuesCard() {
  const { data, error, refetch } = useSettings()
  const [editing, setEditing] = useState<string | null>(null)
  const open = data?.settings.find((each) => each.name === editing)
  return (
    <Card
      title="Settings of runs"
      className="wide"
      aside={
        <Link to="/risk" className="settings-link">
          Limits and their use
        </Link>
      }
    >
      <p className="muted">
        A run reads them when it starts and keeps what it began with. What is set here lies in{' '}
        <code>{data?.file ?? 'the home'}</code>; the environment comes first. A fleet on bars that is started again
        under other settings begins a new run.
      </p>
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {data?.trouble && (
        <p className="danger" role="alert">
          ⚠ No run can start before this is mended: {data.trouble}
        </p>
      )}
      <DataTable
        label="Settings of runs"
        rows={data?.settings.filter((each) => each.name !== 'home')}
        keyOf={(row) => row.name}
        empty="There are none."
        height={560}
        columns={[
          { id: 'group', title: 'Group', cell: (row) => row.group, by: (row) => row.group, phone: false },
          {
            id: 'name',
            title: 'Setting',
            cell: (row) => (
              <>
                {row.title}
                <div className="settings-meaning">{row.meaning}</div>
              </>
            ),
            by: (row) => row.title,
          },
          {
            id: 'value',
            title: 'Value',
            cell: (row) => (
              <>
                {shown(row.unit, row.value, '')} <SourceMark setting={row} />
              </>
            ),
          },
          { id: 'default', title: 'Default', cell: (row) => shown(row.unit, row.default, ''), phone: false },
          {
            id: 'change',
            title: 'Change',
            cell: (row) =>
              row.editable ? (
                <Button
                  size="compact-sm"
                  variant="default"
                  aria-label={`Change ${row.title}`}
                  onClick={() => setEditing(row.name)}
                >
                  Change …
                </Button>
              ) : (
                <span className="settings-meaning">{row.objection}</span>
              ),
          },
        ]}
      />
      {open && data && (
        <SettingDialog setting={open} word={data.loosen_word} currency="" onClose={() => setEditing(null)} />
      )}
    </Card>
  )
}
