import { TextInput } from '@mantine/core'

/** A word that has to be typed before something that cannot be undone; `value === word` allows it. */
export function ConfirmWord({
  word,
  value,
  onChange,
  autoFocus = false,
}: {
  word: string
  value: string
  onChange: (value: string) => void
  autoFocus?: boolean
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
    />
  )
}
