import { ActionIcon } from '@mantine/core'
import { Bell } from 'lucide-react'
import { Link } from 'react-router'
import { counted } from '../format'
import { useStatusOf } from '../live/status'

export function AlertsBell() {
  const alerts = useStatusOf((status) => status.alerts, 0)
  const says = alerts > 0 ? counted(alerts, 'alert') : 'No alerts'
  return (
    <ActionIcon
      component={Link}
      to="/risk"
      className="bell"
      variant="subtle"
      color="gray"
      size={32}
      aria-label={says}
      title={says}
    >
      <Bell size={16} />
      {alerts > 0 && <span className="pill">{alerts > 99 ? '99+' : alerts}</span>}
    </ActionIcon>
  )
}
