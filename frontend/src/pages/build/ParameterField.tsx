import { NativeSelect, TextInput } from '@mantine/core'
import { NumberField } from './NumberField'
import type { Field } from './types'

const LABELS: Record<Field['kind'], string> = {
  w: 'window, bars',
  k: 'constant',
  q: 'quantile',
  name: 'name',
  a: 'instrument',
  g: 'classification',
}

interface Props {
  field: Field
  value: number | string | undefined
  error?: string
  onChange: (value: number | string) => void
}

/** A parameter, as its kind asks for it. */
export function ParameterField({ field, value, error, onChange }: Props) {
  const label = `${field.symbol}: ${LABELS[field.kind]}`
  if (typeof field.default === 'number')
    return (
      <NumberField
        label={label}
        description={range(field)}
        value={typeof value === 'number' ? value : field.default}
        onChange={onChange}
        whole={field.whole}
        least={field.least}
        most={field.most}
        error={error}
      />
    )
  if (field.choices.length)
    return (
      <NativeSelect
        size="xs"
        label={label}
        data={field.choices}
        value={String(value ?? field.default)}
        error={error}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    )
  return (
    <TextInput
      size="xs"
      label={label}
      description={field.meaning}
      value={String(value ?? '')}
      maxLength={80}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}

const range = (field: Field): string => {
  if (field.kind === 'k') return field.meaning
  const [least, most] = [field.least ?? 0, field.most ?? 0].map((value) => value.toLocaleString('en-US'))
  return `${field.whole ? 'a whole number' : 'a number'} from ${least} to ${most}`
}
