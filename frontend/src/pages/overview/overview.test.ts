import { expect, it } from 'vitest'
import { Fleet } from '../../live/fleet'
import { dayBudget } from './budget'
import { movers } from './movers'

it('what is lost and what is reserved, against the limit of the day', () => {
  expect(dayBudget({ day_profit: -1, reserved: 2, day_loss_limit: 10 })).toEqual({ lost: 1, reserved: 2, used: 0.3 })
  expect(dayBudget({ day_profit: 5, reserved: 2, day_loss_limit: 10 })?.used).toBe(0.2)
  expect(dayBudget({ day_profit: null, reserved: 2, day_loss_limit: 10 })).toBeNull()
  expect(dayBudget({ day_profit: 0, reserved: null, day_loss_limit: 10 })).toBeNull()
  expect(dayBudget({ day_profit: 0, reserved: 0, day_loss_limit: 0 })).toBeNull()
})

it('those who moved most, either way, and nobody who has not moved', () => {
  const fleet = new Fleet()
  const profit = [3, -5, 0, 8, -1, 0.001]
  const zeros = profit.map(() => 0)
  const ids = profit.map((_, row) => `a${row}`)
  fleet.apply({
    topic: 'fleet',
    seq: 1,
    whole: true,
    sent_at: 0,
    run: 'r',
    ids,
    names: ids,
    markets: ids,
    index: profit.map((_, row) => row),
    state: profit.map(() => 'active' as const),
    equity: zeros,
    profit,
    total: zeros,
    drawdown: zeros,
    exposure: zeros,
    risk: zeros,
    wealth: zeros,
  })
  expect(movers(fleet, 5)).toEqual([3, 1, 0, 4])
  expect(movers(fleet, 2)).toEqual([3, 1])
})
