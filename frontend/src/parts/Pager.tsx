import { Button } from '@mantine/core'
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { count } from '../format'

/** Which part of a long list is shown, "1 to 25 of 3,412", and the way to the others. */
export function Pager({
  noun,
  offset,
  shown,
  total,
  step,
  most = Number.POSITIVE_INFINITY,
  go,
}: {
  noun: string
  offset: number
  shown: number
  total: number
  step: number
  /** How far it can be turned over. */
  most?: number
  go: (offset: number) => void
}) {
  if (total === 0) return null
  return (
    <nav className="pager" aria-label={`Pages of ${noun}`}>
      <span className="muted" role="status">
        {shown === 0 ? 'none' : `${count(offset + 1)} to ${count(offset + shown)}`} of {count(total)} {noun}
      </span>
      {total > step && (
        <>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<ChevronLeft size={14} aria-hidden />}
            disabled={offset === 0}
            onClick={() => go(Math.max(0, offset - step))}
          >
            Previous
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            rightSection={<ChevronRight size={14} aria-hidden />}
            disabled={offset + step >= total || offset + step > most}
            onClick={() => go(offset + step)}
          >
            Next
          </Button>
        </>
      )}
    </nav>
  )
}
