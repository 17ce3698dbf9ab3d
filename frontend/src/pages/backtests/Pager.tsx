import { Button } from '@mantine/core'
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { count } from '../../format'
import { PAGE } from './queries'

/** Which part of a long list is shown, and the ways to its neighbours. */
export function Pager({
  offset,
  total,
  noun,
  turn,
}: {
  offset: number
  total: number
  noun: string
  turn: (offset: number) => void
}) {
  if (total <= PAGE) return null
  const last = Math.min(offset + PAGE, total)
  return (
    <nav className="bt-pager" aria-label={`Pages of ${noun}`}>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<ChevronLeft size={14} aria-hidden />}
        disabled={offset === 0}
        onClick={() => turn(Math.max(0, offset - PAGE))}
      >
        Newer
      </Button>
      <span className="muted">
        {count(offset + 1)} to {count(last)} of {count(total)} {noun}
      </span>
      <Button
        size="compact-sm"
        variant="default"
        rightSection={<ChevronRight size={14} aria-hidden />}
        disabled={last >= total}
        onClick={() => turn(offset + PAGE)}
      >
        Older
      </Button>
    </nav>
  )
}
