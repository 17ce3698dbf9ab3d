import { describe, expect, it } from 'vitest'
import type { Schema } from '../../api/client'
import { powers, scale, sparkPath, ticks } from './drawing'
import { median, neighbourhood, weakest } from './story'
import { type Meaning, SOURCES, TERMS } from './terms'
import {
  chance,
  gateNumber,
  gatesPassed,
  gateWords,
  level,
  luckVerdict,
  progress,
  verdict,
  wealth,
  whyLevel,
} from './words'

describe('numbers in words', () => {
  it('says a wealth with as many digits as matter', () => {
    expect([0, 0.004, 0.5, 1, 93.49, 120.4, 4_321.7, 2.5e6, 3e12].map(wealth)).toEqual([
      '0',
      'under 0.01',
      '0.50',
      '1.00',
      '93.49',
      '120.4',
      '4,322',
      '2.5 million',
      '10^12',
    ])
    expect(wealth(null)).toBe('—')
  })
  it('says a level whole where it is', () => {
    expect([20, 120, 100 / 3].map(level)).toEqual(['20', '120', '33.3'])
  })
  it('never says that a chance is zero, or a gate all but passed', () => {
    expect(chance(0.05)).toBe('0.05')
    expect(chance(1 / 120)).toBe('0.0083')
    expect(chance(1.8e-5)).toBe('1.8 × 10^\u22125')
    expect(gateNumber(0.00001)).toBe('under 0.001')
    expect(gateNumber(0.99999)).toBe('over 0.999')
    expect(gateNumber(1)).toBe('1.000')
    expect(gateNumber(0)).toBe('0.000')
    expect(gateNumber(null)).toBe('—')
  })
})

describe('what is said of a claim', () => {
  const claim = { standing: 'on_the_way', peak: 32.88, wealth_to_reach: 120, bars: 320 } as const
  it('says no proof where there is none, and not that there is no edge', () => {
    expect(verdict(claim)).toContain('32.88 at its best, of the 120')
    expect(verdict(claim)).toContain('no proof yet')
    expect(verdict(claim)).toContain('no proof against it either')
  })
  it('says proof alone, and never what it will earn', () => {
    for (const standing of ['proven', 'broken', 'not_begun', 'on_the_way'] as const)
      expect(verdict({ ...claim, standing })).not.toMatch(/profit|guarantee|will earn|significant/i)
    expect(verdict({ ...claim, standing: 'proven' })).toContain('real money needs a person')
  })
  it('explains a level with its own numbers', () => {
    const why = { number: 3, promotions_before: 1, alpha: 0.1, share: 1 / 12, level: 0.2 / 12, wealth_to_reach: 60 }
    expect(whyLevel(why)).toContain('0.1 × 1/(3 × 4) × (1 + 1) = 0.0167')
    expect(whyLevel(why)).toContain('1/α = 60')
  })
  it('measures the way on a logarithmic scale', () => {
    expect(progress({ ...claim, peak: 1 })).toBe(0)
    expect(progress({ ...claim, peak: Math.sqrt(120) })).toBeCloseTo(0.5)
    expect(progress({ ...claim, peak: 500 })).toBe(1)
    expect(progress({ ...claim, standing: 'broken' })).toBe(0)
  })
})

describe('gates', () => {
  const gate = (name: string, passed: boolean, value: number | null = 0.3) => ({
    name,
    passed,
    value,
    threshold: 0.2,
    meaning: '',
  })
  it('counts those that are passed and names those that hold it back', () => {
    expect(gatesPassed([gate('overfitting', true), gate('endurance', true)])).toBe('2 of 2 gates passed.')
    expect(gatesPassed([gate('overfitting', false), gate('endurance', true)])).toBe(
      '1 of 2 gates passed; held back by overfitting.',
    )
  })
  it('knows which way each number has to lie, as the gates do', () => {
    const rules = Object.fromEntries(
      ['deflated-sharpe', 'overfitting', 'cross-validation', 'endurance', 'selection', 'superiority'].map((name) => [
        name,
        gateWords({ name }).rule,
      ]),
    )
    expect(rules).toEqual({
      'deflated-sharpe': 'at least',
      overfitting: 'at most',
      'cross-validation': 'above',
      endurance: 'at least',
      selection: 'above',
      superiority: 'at most',
    })
    expect(gateWords({ name: 'another' }).title).toBe('another')
  })
})

describe('luck', () => {
  const luck = (sharpe: number) =>
    ({
      trials: 24,
      bars: 960,
      best: { sharpe },
      charged: { trials: 255, expected: 1.8, low: 1.4, high: 2.3 },
    }) as Schema<'LuckOnBars'>
  it('charges with all trials and never calls a backtest proof', () => {
    expect(luckVerdict(luck(1))).toContain('less than luck alone')
    expect(luckVerdict(luck(2))).toContain('Luck alone would do that.')
    expect(luckVerdict(luck(3))).toContain('no proof')
    expect(luckVerdict(luck(2))).toContain('Take 255 strategies')
  })
})

describe('a story in words', () => {
  it('tells a plateau from a needle', () => {
    const near = [
      { change: 'a', sharpe: 0.9 },
      { change: 'b', sharpe: 1.1 },
      { change: 'c', sharpe: 0.8 },
    ]
    expect(neighbourhood(near, 1)).toContain('plateau')
    expect(neighbourhood(near, 1)).toContain('0.80 at the worst and 0.90 in the middle of 3 neighbours; 1 of them does')
    expect(
      neighbourhood(
        [
          { change: 'a', sharpe: 0.1 },
          { change: 'b', sharpe: null },
        ],
        1,
      ),
    ).toContain('needle')
    expect(neighbourhood([], 1)).toContain('no number')
    expect(neighbourhood(near, null)).toContain('not known')
  })
  it('finds the middle', () => {
    expect(median([1, 2, 9])).toBe(2)
    expect(median([1, 2, 4, 9])).toBe(3)
  })
  it('names the market in which it did worst', () => {
    const regime = (name: string, annual_return: number | null) => ({
      name,
      annual_return,
      meaning: '',
      share: 0.5,
      sharpe: 1,
    })
    expect(weakest([regime('calm', 0.1), regime('wild', -0.2), regime('odd', null)])).toContain(
      'wild: \u221220.0% a year',
    )
    expect(weakest([])).toContain('too few bars')
  })
})

describe('drawings', () => {
  it('keeps the curve, one and the level in the picture', () => {
    const { path, levelY, startY } = sparkPath([0, 0.5, -0.2, 1], 2, 100, 40)
    const ys = [...path.matchAll(/ ([\d.]+)/g)].map((match) => Number(match[1]))
    expect(ys).toHaveLength(4)
    for (const y of [...ys, levelY, startY]) {
      expect(y).toBeGreaterThanOrEqual(0)
      expect(y).toBeLessThanOrEqual(40)
    }
    expect(levelY).toBeLessThan(Math.min(...ys))
    expect(sparkPath([0], 2, 100, 40).path).toBe('')
  })
  it('has round steps on its axes', () => {
    expect(ticks(-0.5, 2.2, 5)).toEqual([0, 1, 2])
    expect(ticks(0, 0.03, 3)).toEqual([0, 0.01, 0.02, 0.03])
    expect(ticks(1, 1, 5)).toEqual([])
    expect(powers(1, 2_000)).toEqual([1, 10, 100, 1_000])
    expect(scale(1, 100, 0, 10, true)(10)).toBe(5)
  })
})

describe('terms', () => {
  it('gives each a line, and a source that is among the sources', () => {
    for (const term of Object.values(TERMS) as Meaning[]) {
      expect(term.text.length).toBeGreaterThan(20)
      expect(term.text).not.toMatch(/profitab/i)
      const year = term.source?.match(/\d{4}/)?.[0]
      if (year) expect(SOURCES.some((source) => source.includes(year))).toBe(true)
    }
  })
})
