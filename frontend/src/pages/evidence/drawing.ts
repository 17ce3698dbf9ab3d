/** A curve of base-10 logarithms from 0 on, scaled so that it, 1 and the level are all in the picture. */
export function sparkPath(
  logs: readonly number[],
  level: number,
  width: number,
  height: number,
): { path: string; levelY: number; startY: number } {
  const margin = 3
  const low = Math.max(-3, Math.min(0, ...logs))
  const high = Math.max(level, ...logs)
  const y = (log: number) =>
    round(height - margin - ((Math.max(log, low) - low) / (high - low || 1)) * (height - 2 * margin))
  const x = (at: number) => round((at / Math.max(1, logs.length - 1)) * width)
  const path = logs.length < 2 ? '' : logs.map((log, at) => `${at === 0 ? 'M' : 'L'}${x(at)} ${y(log)}`).join('')
  return { path, levelY: y(level), startY: y(0) }
}

const round = (value: number) => Math.round(value * 10) / 10

/** A scale from a value to a place; logarithmic where asked. */
export function scale(from: number, to: number, start: number, end: number, logarithmic = false) {
  const of = logarithmic ? Math.log10 : (value: number) => value
  const span = of(to) - of(from) || 1
  return (value: number) => round(start + ((of(value) - of(from)) / span) * (end - start))
}

/** Round steps for an axis: at most so many, from the lowest at or above the start. */
export function ticks(low: number, high: number, most: number): number[] {
  const raw = (high - low) / Math.max(1, most)
  if (!(raw > 0) || !Number.isFinite(raw)) return []
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = ([1, 2, 5, 10].find((times) => times * power >= raw) ?? 10) * power
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)))
}

/** 1, 10, 100, ... within a span. */
export function powers(low: number, high: number): number[] {
  const found: number[] = []
  for (let power = 10 ** Math.ceil(Math.log10(low) - 1e-9); power <= high * (1 + 1e-9); power *= 10) found.push(power)
  return found
}
