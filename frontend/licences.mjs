// Writes what the licences of the packages in the built pages ask for, from node_modules: `node licences.mjs`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
export const TARGET = join(HERE, 'public', 'licences.txt')

/** Not in the package; https://github.com/tradingview/lightweight-charts/blob/master/NOTICE asks for it and for the link. */
const NOTICES = {
  'lightweight-charts': [
    'TradingView Lightweight Charts™',
    'Copyright (c) 2023 TradingView, Inc. https://www.tradingview.com/',
  ].join('\n'),
}

/** The text of every licence in force for what `npm run build` bundles, sorted by package. */
export function licences() {
  const { packages } = JSON.parse(readFileSync(join(HERE, 'package-lock.json'), 'utf8'))
  const parts = Object.entries(packages)
    .filter(([place, about]) => place.startsWith('node_modules/') && !about.dev && !place.includes('/@types/'))
    .map(([place, about]) => part(place, about))
  return `${['The pages of clawd are built with these packages.', ...parts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}

function part(place, about) {
  const name = place.split('node_modules/').at(-1)
  const files = readdirSync(join(HERE, place)).filter((file) => /^(licen[cs]e|ofl)(\.|$)/i.test(file))
  const texts = files.sort().map((file) => readFileSync(join(HERE, place, file), 'utf8').trim())
  const said = texts.join('\n\n') || `Its package carries no text; its licence is ${about.license}.`
  return [`${name} ${about.version} (${about.license ?? 'see below'})`, NOTICES[name], said]
    .filter(Boolean)
    .join('\n\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, licences())
