import type { ReactNode } from 'react'

/** Nothing is here yet: what this place is for, and the one next thing to do. */
export function Empty({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <section className="empty card">
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </section>
  )
}
