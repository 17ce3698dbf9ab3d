import { ActionIcon, Popover } from '@mantine/core'
import { Bell } from 'lucide-react'
import { useState } from 'react'
import { counted } from '../format'
import { useStatusOf } from '../live/status'
import { AlertRow } from '../parts/AlertRow'
import { useAlerts } from '../parts/alerts'
import { ProblemNotice } from '../parts/ProblemNotice'

/** How many alerts nobody has acknowledged, and which. */
export function AlertsBell() {
  const alerts = useStatusOf((status) => status.alerts ?? 0, 0)
  const [opened, setOpened] = useState(false)
  const says = alerts > 0 ? `${counted(alerts, 'alert')} that nobody has seen` : 'No alerts'
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-end"
      width={380}
      trapFocus
      returnFocus
      transitionProps={{ duration: 0 }}
      styles={{ dropdown: { maxWidth: 'calc(100vw - 16px)' } }}
    >
      <Popover.Target>
        <ActionIcon
          className="bell"
          variant="subtle"
          color="gray"
          size={32}
          aria-label={says}
          title={says}
          onClick={() => setOpened(!opened)}
        >
          <Bell size={16} />
          {alerts > 0 && <span className="pill">{alerts > 99 ? '99+' : alerts}</span>}
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label="Alerts">{opened && <Alerts />}</Popover.Dropdown>
    </Popover>
  )
}

function Alerts() {
  const { data, error, refetch } = useAlerts()
  if (error && !data) return <ProblemNotice error={error} retry={() => void refetch()} />
  if (!data) return <p className="muted">Loading the alerts …</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls has to be reached by keyboard
    <section className="alerts-panel" tabIndex={0} aria-label="Alerts of the run, newest first">
      {data.alerts.length === 0 ? (
        <p className="muted">Nothing has happened that a person should know of.</p>
      ) : (
        <ul className="alert-rows">
          {data.alerts.slice(0, 50).map((alert) => (
            <AlertRow key={alert.id} alert={alert} />
          ))}
        </ul>
      )}
    </section>
  )
}
