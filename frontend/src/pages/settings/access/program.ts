const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg\/\d/, 'Edge'],
  [/OPR\/\d/, 'Opera'],
  [/Firefox\/\d/, 'Firefox'],
  [/Chrom(e|ium)\/\d/, 'Chrome'],
  [/Safari\/\d/, 'Safari'],
]
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
]

const first = (text: string, known: typeof BROWSERS) => known.find(([mark]) => mark.test(text))?.[1]

/** What a browser calls itself, in two words; what is no browser we know, as it says. */
export function program(agent: string): string {
  const browser = first(agent, BROWSERS)
  if (!browser) return agent || 'unknown program'
  const system = first(agent, SYSTEMS)
  return system ? `${browser} on ${system}` : browser
}
