import { TextInput } from '@mantine/core'
import type { Ref } from 'react'

/** A word that has to be typed before something that cannot be undone; `value === word` allows it. */
export function ConfirmWord({
  word,
  value,
  onChange,
  autoFocus = false,
  ref,
}: {
  word: string
  value: string
  onChange: (value: string) => void
  autoFocus?: boolean
  ref?: Ref<HTMLInputElement>
}) {
  return (
    <TextInput
      label={
        <>
          Type <strong>{word}</strong> to confirm
        </>
      }
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      data-autofocus={autoFocus || undefined}
      autoComplete="off"
      autoCapitalize="characters"
      spellCheck={false}
      maxLength={40}
      ref={ref}
    />
  )
}
