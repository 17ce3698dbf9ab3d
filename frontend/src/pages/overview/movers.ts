import { type Fleet, ranked } from '../../live/fleet'

/** What is less rounds to nothing. */
const SEEN = 0.01

/** The rows of those that gained most and of those that lost most today, the largest first; nobody twice. */
export function movers(fleet: Fleet, most: number): { gained: number[]; lost: number[] } {
  const moved = Array.from(fleet.ids.keys()).filter((row) => Math.abs(fleet.profit[row] ?? 0) >= SEEN)
  const order = ranked(fleet, moved, 'profit', true)
  return {
    gained: order.filter((row) => (fleet.profit[row] ?? 0) > 0).slice(0, most),
    lost: order
      .filter((row) => (fleet.profit[row] ?? 0) < 0)
      .slice(-most)
      .reverse(),
  }
}
