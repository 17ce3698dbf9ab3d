import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

/** What each file imports, by path. */
type Imports = ReadonlyMap<string, readonly string[]>

/** Of each file under a folder: statically, as types, or when it is needed. */
function importsUnder(root: string): Imports {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const files = new Set(names.filter((name) => /\.tsx?$/.test(name)).map((name) => normalize(join(root, name))))
  const found = (file: string, to: string) =>
    ['', '.ts', '.tsx', '/index.ts'].map((end) => join(dirname(file), to) + end).find((path) => files.has(path))
  return new Map(
    [...files].map((file) => {
      const wanted = readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]*)['"]/g)
      return [file, [...wanted].flatMap(([, to = '']) => found(file, to) ?? [])]
    }),
  )
}

/** A way from a file back to itself along imports, if there is any. */
function circle(imports: Imports): readonly string[] | null {
  const done = new Set<string>()
  const way: string[] = []
  const along = (file: string): readonly string[] | null => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file]
    if (done.has(file)) return null
    way.push(file)
    for (const next of imports.get(file) ?? []) {
      const back = along(next)
      if (back) return back
    }
    way.pop()
    done.add(file)
    return null
  }
  for (const file of imports.keys()) {
    const back = along(file)
    if (back) return back
  }
  return null
}

describe('imports', () => {
  it('of the pages lead nowhere back to where they began', () => {
    const imports = importsUnder('src')
    expect(imports.get('src/charts/EquityChart.tsx'), 'one that is loaded when it is needed').toContain(
      'src/charts/EquityCanvas.tsx',
    )
    expect(imports.get('src/charts/props.ts'), 'one of types alone').toEqual(['src/charts/points.ts'])
    expect(imports.get('src/pages/fleet/AgentNow.tsx'), 'one of a folder').toContain('src/charts/index.ts')
    expect(circle(imports)).toBeNull()
  })

  it('that lead back are found', () => {
    const back = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', []],
      ['d', ['c', 'b']],
    ])
    expect(circle(back)).toEqual(['b', 'd', 'b'])
    expect(circle(new Map([['a', ['a']]]))).toEqual(['a', 'a'])
  })
})
