import type { ReactNode } from 'react'

interface Stat {
  label: string
  value: ReactNode
  /** For who does not know the term. */
  hint?: string
}

/** Some numbers with their names. */
export function StatTable({ stats, columns = 1 }: { stats: readonly Stat[]; columns?: 1 | 2 | 3 }) {
  return (
    <dl className={`stats stats-${columns}`}>
      {stats.map(({ label, value, hint }) => (
        <div key={label} title={hint}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
