import type { Status } from '../live/status'

/** What each standing is called, and what it means for who looks on. */
export const STANDINGS: Record<
  Exclude<Status['standing'], 'active'>,
  { name: string; text: string; grave: boolean }
> = {
  reducing: { name: 'REDUCING', text: 'No new positions are opened; exits go on.', grave: false },
  halted: { name: 'HALTED', text: 'Nothing is entered; what is held keeps its exits.', grave: true },
  flattening: { name: 'FLATTENING', text: 'Every position is being closed.', grave: true },
  day_limit: {
    name: 'DAY LIMIT',
    text: "The day's loss limit is reached: no new positions are opened until the next day.",
    grave: true,
  },
}
