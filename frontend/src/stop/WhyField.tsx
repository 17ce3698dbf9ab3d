import { TextInput } from '@mantine/core'

/** The reason that is kept with an order. */
export function WhyField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <TextInput
      label="Why (kept with the order)"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      maxLength={500}
      autoComplete="off"
    />
  )
}
