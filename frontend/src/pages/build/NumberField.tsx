import { NumberInput } from '@mantine/core'
import { useEffect, useState } from 'react'

interface Props {
  label: string
  value: number
  onChange: (value: number) => void
  whole?: boolean
  least?: number | null
  most?: number | null
  description?: string
  error?: string
  disabled?: boolean
}

/** A number that may be typed in peace: what is no number yet changes nothing. */
export function NumberField({ label, value, onChange, whole, least, most, description, error, disabled }: Props) {
  const [typed, setTyped] = useState<number | string>(value)
  useEffect(() => setTyped((now) => (Number(now) === value && now !== '' ? now : value)), [value])
  return (
    <NumberInput
      size="xs"
      label={label}
      description={description}
      error={error}
      disabled={disabled}
      value={typed}
      onChange={(now) => {
        setTyped(now)
        if (typeof now === 'number' && Number.isFinite(now)) onChange(now)
      }}
      onBlur={() => setTyped(value)}
      allowDecimal={!whole}
      decimalScale={12}
      min={least ?? undefined}
      max={most ?? undefined}
      clampBehavior="none"
      step={whole ? 1 : Math.abs(value) >= 1 ? 0.5 : 0.05}
      hideControls
    />
  )
}
