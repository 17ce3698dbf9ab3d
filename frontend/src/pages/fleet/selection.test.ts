import { describe, expect, it } from 'vitest'
import { including, NOTHING, present, reaching, toggled } from './selection'

const ORDER = ['a', 'b', 'c', 'd', 'e']
const ids = (selection: { ids: ReadonlySet<string> }) => [...selection.ids].sort().join('')

describe('a selection', () => {
  it('takes and leaves one', () => {
    const one = toggled(NOTHING, 'b')
    expect(ids(one)).toBe('b')
    expect(ids(toggled(one, 'b'))).toBe('')
    expect(ids(NOTHING)).toBe('')
  })

  it('reaches from the last that was taken to another, either way, and takes back what it reached before', () => {
    const begun = toggled(toggled(NOTHING, 'a'), 'c')
    const down = reaching(begun, ORDER, 'e')
    expect(ids(down)).toBe('acde')
    expect(ids(reaching(down, ORDER, 'd'))).toBe('acd')
    expect(ids(reaching(down, ORDER, 'b'))).toBe('abc')
  })

  it('keeps what was selected before a range went over it', () => {
    const begun = toggled(toggled(NOTHING, 'd'), 'b')
    const over = reaching(begun, ORDER, 'e')
    expect(ids(over)).toBe('bcde')
    expect(ids(reaching(over, ORDER, 'b'))).toBe('bd')
  })

  it('follows the order that is shown when the range is made', () => {
    const begun = toggled(NOTHING, 'a')
    expect(ids(reaching(begun, ['e', 'a', 'd', 'c', 'b'], 'd'))).toBe('ad')
  })

  it('begins where it is told to, where nothing was taken or that is not shown', () => {
    expect(ids(reaching(NOTHING, ORDER, 'c'))).toBe('c')
    expect(ids(reaching(NOTHING, ORDER, 'c', 'b'))).toBe('bc')
    expect(ids(reaching(toggled(NOTHING, 'gone'), ORDER, 'c', 'd'))).toBe('cdgone')
    expect(ids(reaching(NOTHING, ORDER, 'gone'))).toBe('gone')
  })

  it('takes all that are shown, or leaves them, and touches no other', () => {
    const far = toggled(NOTHING, 'z')
    const all = including(far, ORDER, true)
    expect(ids(all)).toBe('abcdez')
    expect(ids(including(all, ['a', 'b'], false))).toBe('cdez')
  })

  it('forgets who is gone, and is the same where nobody is', () => {
    const some = including(NOTHING, ['a', 'b'], true)
    expect(present(some, () => true)).toBe(some)
    expect(ids(present(some, (id) => id === 'b'))).toBe('b')
  })
})
