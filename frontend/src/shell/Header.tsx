import { ActionIcon } from '@mantine/core'
import { Menu, OctagonX, Search } from 'lucide-react'
import { Link } from 'react-router'
import { RightButton } from '../parts/RightButton'
import { AlertsBell } from './AlertsBell'
import { LinkBadge } from './LinkBadge'
import { ModeBadge } from './ModeBadge'
import { PhaseNote } from './PhaseNote'
import { ThemeToggle } from './ThemeToggle'

export function Header({ onMenu, onSearch, onStop }: { onMenu: () => void; onSearch: () => void; onStop: () => void }) {
  return (
    <header className="head">
      <ActionIcon className="head-menu" variant="subtle" color="gray" size={40} aria-label="Pages" onClick={onMenu}>
        <Menu size={18} />
      </ActionIcon>
      <Link to="/" className="brand" aria-label="clawd, to the overview">
        <img src="/favicon.svg" width={20} height={20} alt="" />
        <b>clawd</b>
      </Link>
      <ModeBadge />
      <LinkBadge />
      <PhaseNote />
      <span className="head-space" />
      <button type="button" className="search" onClick={onSearch} aria-keyshortcuts="Control+K">
        <Search size={14} aria-hidden />
        <span>Search</span>
        <kbd aria-hidden>Ctrl K</kbd>
      </button>
      <AlertsBell />
      <ThemeToggle />
      <StopButton onStop={onStop} />
    </header>
  )
}

/** The one button that is red. */
export function StopButton({ onStop }: { onStop: () => void }) {
  return (
    <RightButton
      right="decide"
      className="stop"
      color="danger"
      size="sm"
      leftSection={<OctagonX size={16} />}
      onClick={onStop}
      aria-keyshortcuts="Control+Shift+K"
      title="Stop trading (Ctrl Shift K)"
    >
      Stop trading
    </RightButton>
  )
}
