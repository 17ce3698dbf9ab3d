import { AppShell, NavLink } from '@mantine/core'
import { Activity, Bot, CheckCheck, FlaskConical, GitBranch, Scale, Settings, ShieldAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link, useLocation } from 'react-router'

const PAGES = [
  ['/', 'Overview', Activity],
  ['/fleet', 'Fleet', Bot],
  ['/build', 'Build', GitBranch],
  ['/backtests', 'Backtests', FlaskConical],
  ['/evidence', 'Evidence', Scale],
  ['/approvals', 'Approvals', CheckCheck],
  ['/risk', 'Risk & audit', ShieldAlert],
  ['/settings', 'Settings', Settings],
] as const

export function Shell({ children }: { children: ReactNode }) {
  const { pathname } = useLocation()
  const here = (to: string) => (to === '/' ? pathname === '/' : pathname.startsWith(to))
  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 176, breakpoint: 'sm', collapsed: { mobile: true } }}
      padding={12}
    >
      <AppShell.Header>clawd</AppShell.Header>
      <AppShell.Navbar p={8} component="nav" aria-label="Pages">
        {PAGES.map(([to, label, Icon]) => (
          <NavLink key={to} component={Link} to={to} label={label} leftSection={<Icon size={16} />} active={here(to)} />
        ))}
      </AppShell.Navbar>
      <AppShell.Main>{children}</AppShell.Main>
    </AppShell>
  )
}
