import { Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import { TERMS, type TermName } from './terms'

/** A term with its meaning: over it, under the focus, and as text among the terms at the foot of the page. */
export function Term({ of, children }: { of: TermName; children?: ReactNode }) {
  const { title, text } = TERMS[of]
  return (
    <Tooltip
      label={text}
      multiline
      w={300}
      withArrow
      events={{ hover: true, focus: true, touch: true }}
      classNames={{ tooltip: 'evidence-tooltip' }}
    >
      <a className="evidence-term" href={`#term-${of}`} aria-describedby={`term-${of}`}>
        {children ?? title}
      </a>
    </Tooltip>
  )
}
