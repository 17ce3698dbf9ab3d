import { beforeEach, expect, test } from 'vitest'
import { readToken, takeToken } from './token'

const TOKEN = 'aZ09_-aZ09_-aZ09_-aZ09_-aZ09_-aZ09_-aZ09_-a'

beforeEach(() => history.replaceState(null, '', '/'))

test('a token is read where there is one, and nothing else is taken for one', () => {
  expect(readToken(`#token=${TOKEN}`)).toBe(TOKEN)
  for (const hash of ['', '#', '#token=', '#token=short', `#token=${TOKEN}"><script>`, `#x=${TOKEN}`])
    expect(readToken(hash)).toBeNull()
})

test('what was taken stands in no address any more', () => {
  history.replaceState(null, '', `/fleet?sort=risk#token=${TOKEN}`)
  expect(takeToken()).toBe(TOKEN)
  expect(location.href.endsWith('/fleet?sort=risk')).toBe(true)
  expect(takeToken()).toBeNull()
})

test('a token that cannot be one is taken away too, and another fragment stays', () => {
  history.replaceState(null, '', '/#token=%00')
  expect(takeToken()).toBeNull()
  expect(location.hash).toBe('')
  history.replaceState(null, '', '/#part')
  expect(takeToken()).toBeNull()
  expect(location.hash).toBe('#part')
})
