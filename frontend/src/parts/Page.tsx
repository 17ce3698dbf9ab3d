import type { ReactNode } from 'react'
import { useEffect } from 'react'

/** A page: its title for the window and for who cannot see it, what can be done on it, and its content. */
export function Page({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · clawd`
  }, [title])
  return (
    <div className="page">
      <header className="page-head">
        <h1>{title}</h1>
        {actions}
      </header>
      {children}
    </div>
  )
}
