import { useState } from 'react'
import { Link } from 'react-router'
import { Card } from '../../parts/Card'
import { type Column, DataTable } from '../../parts/DataTable'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { RightButton } from '../../parts/RightButton'
import { Words } from '../../parts/Words'
import { SettingDialog } from './SettingDialog'
import { SourceMark } from './SourceMark'
import { useSettings } from './useSettings'
import { overruled, type Setting, shown } from './values'

/** Every setting: its value, where it comes from, and changing it for runs that start afterwards. */
export function ValuesCard() {
  const { data, error, refetch } = useSettings()
  const [editing, setEditing] = useState<string | null>(null)
  const groups = [...new Set(data?.settings.map((each) => each.group))]
  const columns: Column<Setting>[] = [
    {
      id: 'name',
      title: 'Setting',
      cell: (row) => (
        <>
          {row.title}
          <div className="settings-meaning">{row.meaning}</div>
        </>
      ),
    },
    {
      id: 'value',
      title: 'Value',
      cell: (row) => (
        <>
          {shown(row.unit, row.value, '').trim()} <SourceMark setting={row} />
          {overruled(row) !== null && (
            <div className="settings-meaning">
              The file says {shown(row.unit, overruled(row), '').trim()}, which does not hold.
            </div>
          )}
        </>
      ),
    },
    { id: 'default', title: 'Default', cell: (row) => shown(row.unit, row.default, '').trim(), phone: false },
    {
      id: 'change',
      title: 'Change',
      cell: (row) =>
        row.editable ? (
          <RightButton
            right="admin"
            size="compact-sm"
            variant="default"
            aria-label={`Change ${row.title}`}
            onClick={() => setEditing(row.name)}
          >
            Change …
          </RightButton>
        ) : (
          <span className="settings-meaning">
            <Words text={row.objection ?? ''} />
          </span>
        ),
    },
  ]
  const open = data?.settings.find((each) => each.name === editing)
  return (
    <Card
      title="Settings of runs"
      className="wide settings-values"
      aside={
        <Link to="/risk" className="settings-link">
          Limits and their use
        </Link>
      }
    >
      <p className="muted">
        A run reads them when it starts and keeps what it began with. What is set here lies in{' '}
        <code>{data?.file ?? 'the home'}</code>; before it come an option of this start, then the environment. A fleet
        on bars that is started again under other settings begins a new run.
      </p>
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {data?.trouble && (
        <p className="danger" role="alert">
          ⚠ No run can start before this is mended: {data.trouble}
        </p>
      )}
      {groups.map((group) => (
        <section key={group} aria-label={group}>
          <h3 className="settings-sub">{group}</h3>
          <DataTable
            label={group}
            rows={data?.settings.filter((each) => each.group === group && each.name !== 'home')}
            keyOf={(row) => row.name}
            empty="There are none."
            columns={columns}
          />
        </section>
      ))}
      {open && data && (
        <SettingDialog setting={open} word={data.loosen_word} currency="" onClose={() => setEditing(null)} />
      )}
    </Card>
  )
}
