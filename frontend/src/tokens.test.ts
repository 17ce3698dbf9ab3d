import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { difference, linear, SIGHT, toldApart } from './colours.testing'

const sheet = readFileSync('src/tokens.css', 'utf8')
const TEXTS = ['text', 'text-2', 'text-3', 'accent', 'gain', 'loss', 'warn', 'danger', 'info', 'approval']
const LINES = [1, 2, 3, 4, 5, 6].map((line) => `line-${line}`)
const CHOICES = ['', 'blue-orange', 'green-red', 'red-up']

/** The tokens of a theme with a choice of colours for profit and loss. */
function tokens(theme: string, choice: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, selectors = '', body = ''] of sheet.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    if (!selectors.includes(`"${theme}"`)) continue
    if (selectors.includes('profit-colours') && !selectors.includes(`"${choice}"`)) continue
    for (const [, name = '', value = ''] of body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)) found[name] = value
  }
  return found
}

/** Relative luminance of WCAG 2.2. */
function luminance(colour: string): number {
  const [red, green, blue] = linear(colour)
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

describe.each(['dark', 'light'])('%s', (theme) => {
  it.each(CHOICES)('every text can be read on every surface, with the colours %j', (choice) => {
    const all = tokens(theme, choice)
    const surfaces = ['bg', 'surface-1', 'surface-2'].map((name) => all[name] as string)
    const lowest = (name: string) => Math.min(...surfaces.map((surface) => contrast(all[name] as string, surface)))
    expect([...TEXTS, ...LINES].filter((name) => lowest(name) < 4.5)).toEqual([])
    expect(lowest('border-strong')).toBeGreaterThanOrEqual(3)
    expect(contrast(all['danger-fill'] as string, '#ffffff')).toBeGreaterThanOrEqual(4.5)
    expect(contrast(all['accent-fill'] as string, '#ffffff')).toBeGreaterThanOrEqual(4.5)
  })

  // Green and red are a choice of those who see them apart; a sign and a shape stand beside every colour anyway.
  it.each(['', 'blue-orange'])('gains and losses are told apart by every eye, with the colours %j', (choice) => {
    const { gain = '', loss = '' } = tokens(theme, choice)
    for (const sight of Object.keys(SIGHT) as (keyof typeof SIGHT)[])
      expect(toldApart(gain, loss, sight), sight).toBeGreaterThan(30)
  })
})

it('knows the difference of colours', () => {
  // Two rows of the table by Sharma, Wu and Dalal.
  expect(difference([50, 2.6772, -79.7751], [50, 0, -82.7485])).toBeCloseTo(2.0425, 4)
  expect(difference([50, -1, 2], [50, 0, 0])).toBeCloseTo(2.3669, 4)
  expect(toldApart('#3ddc84', '#ff7b86', 'deuteranopia')).toBeLessThan(10)
})

it('knows the contrast of black and white', () => expect(contrast('#000000', '#ffffff')).toBeCloseTo(21))
