import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

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
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
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
})

it('knows the contrast of black and white', () => expect(contrast('#000000', '#ffffff')).toBeCloseTo(21))
