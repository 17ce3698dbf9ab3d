// @vitest-environment node
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { licences, TARGET } from './licences.mjs'

test('the licences that the pages show are those of the packages they are built with: node licences.mjs', () => {
  const shown = readFileSync(TARGET, 'utf8')
  expect(shown).toBe(licences())
  expect(shown).toContain('SIL OPEN FONT LICENSE')
  expect(shown).toContain('Copyright (c) 2023 TradingView, Inc. https://www.tradingview.com/')
  for (const name of ['react', '@xyflow/react', '@mantine/core', 'lucide-react']) expect(shown).toContain(`\n${name} `)
})
