import type { Fleet } from '../../live/fleet'

/** What is less rounds to nothing. */
const SEEN = 0.01

/** The rows of those that gained or lost most today, the largest amount first. */
export function movers(fleet: Fleet, most: number): readonly number[] {
  const moved = (row: number) => Math.abs(fleet.profit[row] ?? 0)
  return Array.from(fleet.ids.keys())
    .filter((row) => moved(row) >= SEEN)
    .sort((a, b) => moved(b) - moved(a) || a - b)
    .slice(0, most)
}
