import { Button, Switch } from '@mantine/core'
import { Words } from '../../parts/Words'
import { DistanceFields } from './DistanceFields'
import { withExit } from './edit'
import { exitName } from './exits'
import { NumberField } from './NumberField'
import type { Session } from './session'
import { TargetsFields } from './TargetsFields'
import type { Check, Distance, ExitKind, ExitSet, Graph } from './types'
import { faultText } from './view'

interface Props {
  session: Session
  graph: Graph
  check: Check
  kinds: readonly ExitKind[]
}

/** How positions are left. Every strategy has a stop; everything else can be switched on. */
export function ExitsForm({ session, graph, check, kinds }: Props) {
  return (
    <form className="build-form" aria-label="Exits" onSubmit={(event) => event.preventDefault()}>
      <p className="muted">They belong to the position, not to the signal, and go on living when the agent is gone.</p>
      {kinds.map((kind) => {
        const key = kind.key as keyof ExitSet
        const value = graph.exits[key]
        const faults = check.problems.filter((fault) => fault.where?.split('.')[1] === kind.key)
        const set = (now: ExitSet[typeof key] | undefined) =>
          session.editGraph(`exit ${key}`, (drawn) => withExit(drawn, key, now))
        const isOn = value !== undefined && value !== null
        return (
          <fieldset key={kind.key} className="build-exit">
            <legend>
              {kind.required && isOn ? (
                <strong>{exitName(kind)} (required)</strong>
              ) : (
                <Switch
                  size="xs"
                  label={exitName(kind)}
                  checked={isOn}
                  onChange={(event) =>
                    set(event.currentTarget.checked ? (kind.example as ExitSet[typeof key]) : undefined)
                  }
                />
              )}
            </legend>
            <p className="muted">{kind.meaning}</p>
            {isOn && <ExitFields kind={kind} value={value} onChange={set} />}
            {faults.map((fault) => (
              <p key={fault.what} className="build-form-fault">
                <Words text={`${faultText(fault)}.`} />
              </p>
            ))}
          </fieldset>
        )
      })}
      {check.problems
        .filter((fault) => fault.where === 'exits')
        .map((fault) => (
          <div key={fault.what}>
            <p className="build-form-fault">
              <Words text={`${faultText(fault)}.`} />
            </p>
            {!graph.exits.stop && (
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => {
                  const stop = kinds.find((kind) => kind.key === 'stop')
                  session.editGraph('exit stop', (drawn) => withExit(drawn, 'stop', stop?.example as Distance))
                }}
              >
                Add a stop
              </Button>
            )}
          </div>
        ))}
    </form>
  )
}

interface FieldsProps {
  kind: ExitKind
  value: ExitSet[keyof ExitSet]
  onChange: (value: ExitSet[keyof ExitSet] | undefined) => void
}

function ExitFields({ kind, value, onChange }: FieldsProps) {
  const name = exitName(kind)
  if (kind.form === 'targets') return <TargetsFields kind={kind} take={value as ExitSet['take']} onChange={onChange} />
  if (kind.form === 'bars')
    return (
      <NumberField
        label={`${name}: bars`}
        value={typeof value === 'number' ? value : 1}
        whole
        least={1}
        most={kind.most_bars}
        onChange={onChange}
      />
    )
  return <DistanceFields kind={kind} name={name} value={(value ?? {}) as Distance} onChange={onChange} />
}
