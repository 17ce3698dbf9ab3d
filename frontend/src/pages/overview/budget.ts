import type { Status } from '../../live/status'

interface DayBudget {
  lost: number
  reserved: number
  /** Share of the day's limit. */
  used: number
}

/** What is lost today or may still be, held against the day's limit; null where one of them is not known. */
export function dayBudget({
  day_profit,
  reserved,
  day_loss_limit,
}: Pick<Status, 'day_profit' | 'reserved' | 'day_loss_limit'>): DayBudget | null {
  if (day_profit === null || reserved === null || day_loss_limit === null || day_loss_limit <= 0) return null
  const lost = Math.max(0, -day_profit)
  return { lost, reserved, used: (lost + reserved) / day_loss_limit }
}
