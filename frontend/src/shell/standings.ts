import type { Status } from '../live/status'

/** What each standing is called, and what it means for who looks on. */
export const STANDINGS: Record<
  Exclude<Status['standing'], 'active'>,
  { name: string; text: string; grave: boolean }
> = {
  reducing: { name: 'REDUCING', text: 'No new positions are opened; exits go on.', grave: false },
  halted: { name: 'HALTED', text: 'No orders are sent. Positions stay as they are.', grave: true },
  flattening: { name: 'FLATTENING', text: 'Every position is being closed.', grave: true },
  day_limit: {
    name: 'DAY LIMIT',
    text: "The day's loss limit is reached: no new positions are opened until the next day.",
    grave: true,
  },
}
