import { Activity, Bot, CheckCheck, FlaskConical, GitBranch, Scale, Settings, ShieldAlert } from 'lucide-react'

/** The pages in their order, and what each is for. */
export const PAGES = [
  { to: '/', name: 'Overview', Icon: Activity, does: 'Equity, risk and what needs you' },
  { to: '/fleet', name: 'Fleet', Icon: Bot, does: 'Every agent, live' },
  { to: '/build', name: 'Build', Icon: GitBranch, does: 'Make a strategy without code' },
  { to: '/backtests', name: 'Backtests', Icon: FlaskConical, does: 'Runs, and how they compare' },
  { to: '/evidence', name: 'Evidence', Icon: Scale, does: 'Every trial counted, every gate' },
  { to: '/approvals', name: 'Approvals', Icon: CheckCheck, does: 'Orders that wait for a person' },
  { to: '/risk', name: 'Risk & audit', Icon: ShieldAlert, does: 'Limits, halts, and who did what' },
  { to: '/settings', name: 'Settings', Icon: Settings, does: 'Keys, appearance, licences' },
] as const

export const isHere = (to: string, path: string) =>
  to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`)
