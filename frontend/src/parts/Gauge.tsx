import { percent } from '../format'

/** How much of something that has an end is used; the ticks say where it warns and where it stops. */
export function Gauge({
  label,
  value,
  warn,
  stop,
  text,
  small = false,
}: {
  label: string
  /** A share; null where it is not known. More than 1 is drawn as full. */
  value: number | null
  /** Shares. */
  warn?: number
  stop?: number
  /** For who cannot see it, instead of the percentage. */
  text?: string
  small?: boolean
}) {
  const share = value === null || !Number.isFinite(value) ? 0 : Math.min(1, Math.max(0, value))
  const level = stop !== undefined && share >= stop ? 'stop' : warn !== undefined && share >= warn ? 'warn' : 'calm'
  return (
    // biome-ignore lint/a11y/useSemanticElements: a meter element has no ticks, and each browser draws it otherwise
    <span
      className={`gauge ${small ? 'small' : ''} ${level}`}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      aria-valuetext={text ?? percent(value)}
    >
      <i style={{ transform: `scaleX(${share})` }} />
      {warn !== undefined && <em style={{ left: `${warn * 100}%` }} />}
      {stop !== undefined && <em style={{ left: `${stop * 100}%` }} />}
    </span>
  )
}
