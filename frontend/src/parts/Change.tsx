import { glyph, signed, tone } from '../format'

/** A profit or loss: sign, glyph and colour say the same. */
export function Change({ value }: { value: number | null | undefined }) {
  if (value === null || value === undefined || Number.isNaN(value)) return <>—</>
  return (
    <span className={tone(value)}>
      <span aria-hidden>{glyph(value)} </span>
      {signed(value)}
    </span>
  )
}
