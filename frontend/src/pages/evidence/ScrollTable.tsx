import type { ReactNode } from 'react'

/** A table that scrolls within itself where it is too wide, and is reached by keyboard. */
export function ScrollTable({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <section className="table-scroll" tabIndex={0} aria-label={label}>
      <table className="table">{children}</table>
    </section>
  )
}
