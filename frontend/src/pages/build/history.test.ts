import { expect, it } from 'vitest'
import { amended, begun, edited, redone, TOGETHER, undone } from './history'

it('goes back and forth through every edit', () => {
  const line = edited(edited(begun('a'), 'b', 'x', 0), 'c', 'y', 1)
  expect(undone(line).present).toBe('b')
  expect(undone(undone(line)).present).toBe('a')
  expect(undone(undone(undone(line))).present).toBe('a')
  expect(redone(redone(undone(undone(line)))).present).toBe('c')
  expect(redone(line)).toBe(line)
})

it('takes edits of one kind shortly after one another for one step', () => {
  const typed = edited(edited(edited(begun('a'), 'ab', 'text', 0), 'abc', 'text', 200), 'abcd', 'text', 400)
  expect(undone(typed).present).toBe('a')
  const slow = edited(edited(begun('a'), 'ab', 'text', 0), 'abc', 'text', TOGETHER)
  expect(undone(slow).present).toBe('ab')
  const other = edited(edited(begun('a'), 'ab', 'text', 0), 'abc', 'move', 1)
  expect(undone(other).present).toBe('ab')
})

it('begins a new step after an undo, and forgets what was undone', () => {
  const line = undone(edited(edited(begun('a'), 'b', 'x', 0), 'c', 'y', 1))
  const on = edited(line, 'd', 'x', 2)
  expect(on.future).toEqual([])
  expect(undone(on).present).toBe('b')
})

it('puts the present right without a step', () => {
  const line = amended(edited(begun('a'), 'b', 'x', 0), 'B')
  expect([line.present, undone(line).present]).toEqual(['B', 'a'])
})

it('is no edit where nothing has changed, and does not grow without end', () => {
  const line = begun('a')
  expect(edited(line, 'a', 'x', 0)).toBe(line)
  let long = begun(0)
  for (let index = 1; index < 1_000; index += 1) long = edited(long, index, String(index), index)
  expect(long.past.length).toBeLessThanOrEqual(200)
})
