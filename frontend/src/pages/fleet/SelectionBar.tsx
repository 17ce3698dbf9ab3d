import { Button } from '@mantine/core'
import { Pause, Play } from 'lucide-react'
import { count } from '../../format'
import { RightButton } from '../../parts/RightButton'

/** What can be done with the agents that are selected. */
export function SelectionBar({
  selected,
  shown,
  rows,
  onAll,
  onPause,
  onClear,
}: {
  selected: number
  /** How many of them the filter shows, and how many agents it shows in all. */
  shown: number
  rows: number
  onAll: () => void
  onPause: (pause: boolean) => void
  onClear: () => void
}) {
  return (
    <section className="fleet-selection" aria-label="Selected agents">
      <span className="fleet-selected" role="status" data-testid="selected">
        <b>{count(selected)} selected</b>
        {shown < selected && <span className="muted"> · {count(selected - shown)} not shown</span>}
      </span>
      <RightButton right="decide" size="compact-sm" leftSection={<Pause size={14} />} onClick={() => onPause(true)}>
        Pause
      </RightButton>
      <RightButton
        right="decide"
        size="compact-sm"
        variant="default"
        leftSection={<Play size={14} />}
        onClick={() => onPause(false)}
      >
        Unpause
      </RightButton>
      {shown < rows && (
        <Button size="compact-sm" variant="default" className="fleet-select-all" onClick={onAll}>
          Select all {count(rows)}
        </Button>
      )}
      <Button size="compact-sm" variant="default" onClick={onClear}>
        Clear
      </Button>
    </section>
  )
}
