import { SegmentedControl } from '@mantine/core'
import { NumberField } from './NumberField'
import type { Distance, ExitKind, Target } from './types'

interface Props<T extends Distance> {
  kind: ExitKind
  name: string
  value: T
  onChange: (value: T) => void
}

/** A distance: average true ranges of a window, or percent of the entry price. */
export function DistanceFields<T extends Target>({ kind, name, value, onChange }: Props<T>) {
  const isPercent = value.percent !== undefined && value.percent !== null
  const { percent: _p, atr: _a, window: _w, ...rest } = value
  return (
    <>
      {kind.form !== 'true_ranges' && (
        <SegmentedControl
          size="xs"
          aria-label={`${name}, measured by`}
          value={isPercent ? 'percent' : 'atr'}
          onChange={(unit) =>
            onChange((unit === 'percent' ? { ...rest, percent: 10 } : { ...rest, atr: 3, window: 14 }) as T)
          }
          data={[
            { value: 'atr', label: 'true ranges' },
            { value: 'percent', label: 'percent' },
          ]}
        />
      )}
      <div className="build-form-row">
        {isPercent ? (
          <NumberField
            label={`${name}: percent`}
            value={value.percent ?? 0}
            least={0}
            most={kind.most_percent}
            onChange={(percent) => onChange({ ...value, percent })}
          />
        ) : (
          <>
            <NumberField
              label={`${name}: multiple`}
              value={value.atr ?? 0}
              least={0}
              most={kind.most_true_ranges}
              onChange={(atr) => onChange({ ...value, atr })}
            />
            <NumberField
              label={`${name}: window, bars`}
              value={value.window ?? 0}
              whole
              least={1}
              most={kind.most_bars}
              onChange={(window) => onChange({ ...value, window })}
            />
          </>
        )}
      </div>
    </>
  )
}
