import { Button } from '@mantine/core'
import { DistanceFields } from './DistanceFields'
import { oneMore, targetsOf, withTargets } from './exits'
import { NumberField } from './NumberField'
import type { ExitKind, ExitSet, Target } from './types'

interface Props {
  kind: ExitKind
  take: ExitSet['take']
  onChange: (take: ExitSet['take'] | undefined) => void
}

/** One profit target, or several with their shares. */
export function TargetsFields({ kind, take, onChange }: Props) {
  const targets = targetsOf(take)
  const set = (index: number, target: Target) =>
    onChange(withTargets(targets.map((each, at) => (at === index ? target : each))))
  return (
    <>
      {targets.map((target, index) => {
        const name = targets.length > 1 ? `Target ${index + 1}` : 'Target'
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a target is its place
          <div key={index} className="build-target">
            <DistanceFields kind={kind} name={name} value={target} onChange={(now) => set(index, now)} />
            <div className="build-form-row">
              <NumberField
                label={`${name}: share`}
                value={target.share ?? 1}
                least={0}
                most={1}
                onChange={(share) => set(index, { ...target, share })}
              />
              <NumberField
                label={`${name}: gone after bars`}
                description="0: it stays"
                value={target.decay ?? 0}
                whole
                least={0}
                most={kind.most_bars}
                onChange={(decay) => {
                  const { decay: _, ...rest } = target
                  set(index, decay > 0 ? { ...rest, decay } : rest)
                }}
              />
            </div>
            {targets.length > 1 && (
              <Button
                size="compact-xs"
                variant="default"
                onClick={() => onChange(withTargets(targets.filter((_, at) => at !== index)))}
              >
                Remove target {index + 1}
              </Button>
            )}
          </div>
        )
      })}
      {targets.length < kind.most_targets && (
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => onChange(withTargets(oneMore(targets, kind.example as Target)))}
        >
          Add a target
        </Button>
      )}
    </>
  )
}
