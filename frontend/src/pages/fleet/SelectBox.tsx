import { memo } from 'react'

/** Selects one agent, or the range to it. It is no stop of its own: the grid has the focus, and Space does the same. */
export const SelectBox = memo(
  ({ id, on, onPick }: { id: string; on: boolean; onPick: (id: string, range: boolean) => void }) => (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keys
    <label
      className="fleet-pick"
      onClick={(event) => {
        event.stopPropagation()
        if (event.target instanceof HTMLInputElement) return
        // Not every browser lets a label do it while Shift is held.
        event.preventDefault()
        onPick(id, event.shiftKey)
      }}
    >
      <input
        type="checkbox"
        tabIndex={-1}
        checked={on}
        aria-label={`Select ${id}`}
        onChange={(event) => onPick(id, (event.nativeEvent as MouseEvent).shiftKey)}
      />
    </label>
  ),
)

/** Selects all agents that the filter shows, or none of them. */
export const SelectAll = memo(
  ({ rows, on, onAll }: { rows: number; on: boolean | null; onAll: (on: boolean) => void }) => (
    <label className="fleet-pick">
      <input
        type="checkbox"
        ref={(box) => {
          if (box) box.indeterminate = on === null
        }}
        checked={on === true}
        aria-label={`Select all ${rows} that are shown`}
        onChange={() => onAll(on !== true)}
      />
    </label>
  ),
)
