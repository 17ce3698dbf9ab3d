import type { ReactNode } from 'react'

/** One number that matters: what it is, how much, and what to hold it against. `live` numbers dim when they are old. */
export function KeyFigure({
  label,
  value,
  note,
  tone = '',
  live = false,
  testId,
  children,
}: {
  label: string
  value: ReactNode
  note?: ReactNode
  tone?: 'gain' | 'loss' | 'warn' | 'danger' | ''
  live?: boolean
  testId?: string
  children?: ReactNode
}) {
  return (
    <div className="card key-figure">
      <div className="key-figure-label">{label}</div>
      <div className={`key-figure-value ${tone} ${live ? 'live' : ''}`} data-testid={testId}>
        {value}
      </div>
      {children}
      {note !== undefined && <div className="key-figure-note">{note}</div>}
    </div>
  )
}
