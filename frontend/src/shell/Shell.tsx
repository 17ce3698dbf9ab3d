import './shell.css'
import { Drawer } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react'
import { useLocation } from 'react-router'
import { live } from '../live/store'
import { Guard } from '../parts/Guard'
import { useReasonAgainst } from '../session/rights'
import { StopDialog } from '../stop/StopDialog'
import { useAppearanceOnPage } from './appearance'
import { Banners } from './Banners'
import { Header, StopButton } from './Header'
import { Nav } from './Nav'

const CommandPalette = lazy(() => import('./CommandPalette'))

/** What surrounds every page: the header, the way to the others, and the stop button. */
export function Shell({ children }: { children: ReactNode }) {
  const { pathname } = useLocation()
  const [menu, { open: openMenu, close: closeMenu }] = useDisclosure()
  const [stopping, { open, close: goOn }] = useDisclosure()
  const reason = useReasonAgainst('decide')
  const [asked, setAsked] = useState(0)
  const stop = () => {
    if (reason === null) open()
    else notifications.show({ title: 'Trading goes on', message: reason })
  }
  const search = () => setAsked((times) => times + 1)
  useAppearanceOnPage()
  useEffect(() => {
    live.start()
    return () => live.stop()
  }, [])
  useHotkeys(
    [
      ['mod+K', search],
      ['mod+shift+K', stop],
    ],
    [],
  )
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Header onMenu={openMenu} onSearch={search} onStop={stop} />
      <nav className="nav" aria-label="Pages">
        <Nav />
      </nav>
      <Drawer opened={menu} onClose={closeMenu} title="Pages" size={260} closeButtonProps={{ 'aria-label': 'Close' }}>
        <nav aria-label="Pages">
          <Nav onGo={closeMenu} />
        </nav>
      </Drawer>
      <main id="main" className="main" tabIndex={-1}>
        <Banners />
        <Guard place={pathname}>{children}</Guard>
      </main>
      <div className="stop-bar">
        <StopButton onStop={stop} />
      </div>
      <StopDialog opened={stopping} onClose={goOn} />
      {asked > 0 && (
        <Guard place={String(asked)}>
          <Suspense>
            <CommandPalette asked={asked} onStop={stop} />
          </Suspense>
        </Guard>
      )}
    </div>
  )
}
