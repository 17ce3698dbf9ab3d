import type { Status } from '../live/status'

/** What each standing is called, and what it means for who looks on. */
export const STANDINGS: Record<
  Exclude<Status['standing'], 'active'>,
  { name: string; text: string; grave: boolean }
> = {
  reducing: {
    name: 'REDUCING',
    text: 'Nothing is entered; positions may only become smaller, and their exits live on.',
    grave: false,
  },
  halted: {
    name: 'HALTED',
    text: 'Nothing is entered any more. Positions stay, and their exits live on.',
    grave: true,
  },
  flattening: {
    name: 'FLATTENING',
    text: 'Every order is cancelled and every position closed at the market.',
    grave: true,
  },
  day_limit: {
    name: 'DAY LIMIT',
    text: "The day's loss limit is reached: positions are closed, and nothing is entered until the next UTC day.",
    grave: true,
  },
}
