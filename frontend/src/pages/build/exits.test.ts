import { expect, it } from 'vitest'
import { oneMore, targetsOf, withTargets } from './exits'

it('writes one target as it is and several each with its share', () => {
  expect(withTargets([])).toBeUndefined()
  expect(withTargets([{ percent: 2 }])).toEqual({ percent: 2 })
  expect(withTargets([{ percent: 2 }, { percent: 4 }])).toEqual([
    { percent: 2, share: 0.5 },
    { percent: 4, share: 0.5 },
  ])
})

it('reads back what it writes', () => {
  for (const targets of [
    [],
    [{ percent: 2 }],
    [
      { percent: 2, share: 0.5 },
      { atr: 2, window: 9, share: 0.25 },
    ],
  ])
    expect(targetsOf(withTargets(targets))).toEqual(targets)
})

it('never gives out more than the whole position', () => {
  let targets = oneMore([{ percent: 2 }], { percent: 6 })
  while (targets.length < 4) targets = oneMore(targets, { percent: 6 })
  expect(targets.reduce((sum, target) => sum + (target.share ?? 1), 0)).toBeLessThanOrEqual(1)
  expect(oneMore([{ percent: 2, share: 0.6 }], { percent: 6 }).at(-1)?.share).toBe(0.4)
})
