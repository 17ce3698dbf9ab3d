import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ProblemError } from '../../api/client'
import { CHECK, GRAPH, KINDS } from './blocks.testing'
import { moved, withParameter } from './edit'
import { type Detail, type SaveRequest, Session } from './session'
import type { Check } from './types'

const DETAIL: Detail = {
  name: 'mine',
  own: true,
  revision: 3,
  saved_at: 1_000,
  edited_outside: false,
  form: 'text',
  draft: null,
  viewport: null,
  pane: null,
  check: CHECK,
}

class MemoryShelf {
  kept = new Map<string, string>()
  getItem = (key: string) => this.kept.get(key) ?? null
  setItem = (key: string, value: string) => void this.kept.set(key, value)
  removeItem = (key: string) => void this.kept.delete(key)
}

const silence = new ProblemError(0, { what: 'the server cannot be reached', where: null, hint: null })

function open(detail: Detail = DETAIL, shelf = new MemoryShelf()) {
  const saves: { name: string; request: SaveRequest }[] = []
  const server = {
    check: vi.fn(async (): Promise<Check> => CHECK),
    save: vi.fn(async (name: string, request: SaveRequest) => {
      saves.push({ name, request })
      return { name, revision: request.revision + 1, saved_at: 2_000, draft: false, content_hash: 'abc' }
    }),
  }
  return { session: new Session(detail, KINDS, server, shelf, () => Date.now()), server, saves, shelf }
}

const change = (session: Session, window: number) =>
  session.editGraph('parameter', (graph) => withParameter(graph, 'm', 'w', window))

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('saving', () => {
  it('saves by itself, once for several edits, with the revision that it has', async () => {
    const { session, saves, shelf } = open()
    change(session, 5)
    change(session, 6)
    expect(shelf.kept.size).toBe(1)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(saves).toHaveLength(1)
    expect(saves[0]?.request.revision).toBe(3)
    expect(session.state).toMatchObject({ saving: 'saved', revision: 4, savedAt: 2_000 })
    expect(shelf.kept.size).toBe(0)
    change(session, 7)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(saves[1]?.request.revision).toBe(4)
  })

  it('does not save what was only looked at', async () => {
    const { server, session } = open({ ...DETAIL, own: false, revision: 0 })
    session.look({ pane: 'text', viewport: { x: 1, y: 2, zoom: 1 } })
    await vi.advanceTimersByTimeAsync(5_000)
    session.close()
    expect(server.save).not.toHaveBeenCalled()
  })

  it('makes a strategy of the library its own with the first edit, under the first free name', async () => {
    const { server, session, saves } = open({ ...DETAIL, name: 'macd', own: false, revision: 0 })
    const renamed: string[] = []
    session.onRenamed = (name) => renamed.push(name)
    server.save.mockRejectedValueOnce(new ProblemError(409, { what: 'taken', where: null, hint: null }))
    change(session, 5)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(renamed).toEqual(['macd-3'])
    expect(saves[0]?.request.revision).toBe(0)
    change(session, 6)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(saves[1]).toMatchObject({ name: 'macd-3', request: { revision: 1 } })
  })

  it('keeps the work in the browser while the server is away, and saves it when it is back', async () => {
    const { server, session, saves, shelf } = open()
    server.save.mockRejectedValueOnce(silence).mockRejectedValueOnce(silence)
    server.check.mockRejectedValueOnce(silence)
    change(session, 5)
    await vi.advanceTimersByTimeAsync(1_500)
    expect(session.state.saving).toBe('unreachable')
    expect(session.state.silence?.what).toContain('cannot be reached')
    expect(shelf.kept.size).toBe(1)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(session.state).toMatchObject({ saving: 'saved', silence: null })
    expect(saves).toHaveLength(1)
  })

  it('takes up again what a closed page had not saved', () => {
    const shelf = new MemoryShelf()
    const first = open(DETAIL, shelf)
    change(first.session, 77)
    const second = open(DETAIL, shelf)
    expect(second.session.draft.graph.nodes.find((node) => node.id === 'm')?.parameters).toEqual({ w: 77 })
    const later = open({ ...DETAIL, revision: 9 }, shelf)
    expect(later.session.draft.graph.nodes.find((node) => node.id === 'm')?.parameters).toEqual({ w: 20 })
    expect(later.session.state.leftover).not.toBeNull()
    later.session.takeLeftover(true)
    expect(later.session.draft.graph.nodes.find((node) => node.id === 'm')?.parameters).toEqual({ w: 77 })
  })

  it('stops saving when another has saved, and saves a copy when told to', async () => {
    const { server, session, saves } = open()
    server.save.mockRejectedValueOnce(new ProblemError(409, { what: 'saved in the meantime', where: null, hint: null }))
    change(session, 5)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(session.state.saving).toBe('conflict')
    change(session, 6)
    await vi.advanceTimersByTimeAsync(9_000)
    expect(saves).toHaveLength(0)
    await session.saveCopy()
    expect(saves[0]).toMatchObject({ name: 'mine-2', request: { revision: 0 } })
  })

  it('does not take damaged work from the shelf', () => {
    const shelf = new MemoryShelf()
    shelf.setItem('clawd.build.mine', '{"revision": 3, "draft": {')
    expect(open(DETAIL, shelf).session.draft.text).toBe('the text')
  })
})

describe('three forms in step', () => {
  it('writes the text and the tree of a graph that was edited, and leaves the graph as it is drawn', async () => {
    const { server, session } = open()
    server.check.mockResolvedValue({ ...CHECK, text: 'new text', tree: 'new tree', graph: null })
    change(session, 5)
    const drawn = session.draft.graph
    await vi.advanceTimersByTimeAsync(400)
    expect(session.draft).toMatchObject({ text: 'new text', tree: 'new tree', form: 'graph' })
    expect(session.draft.graph).toBe(drawn)
    session.undo()
    expect(session.draft.text).toBe('the text')
  })

  it('leaves graph and tree as they were while the text is broken', async () => {
    const { server, session } = open()
    server.check.mockResolvedValue({ ...CHECK, valid: false, text: 'oops', graph: null, tree: null })
    const { graph } = session.draft
    session.editText('oops')
    await vi.advanceTimersByTimeAsync(400)
    expect(session.draft).toMatchObject({ text: 'oops', tree: 'the tree', form: 'text' })
    expect(session.draft.graph).toBe(graph)
    expect(session.state.check.valid).toBe(false)
  })

  it('asks nobody about blocks that were only moved, and rewrites nothing', async () => {
    const { server, session, saves } = open()
    session.editGraph('move', (graph) => moved(graph, new Map([['p', [500, 500]]])))
    await vi.advanceTimersByTimeAsync(3_000)
    expect(server.check).not.toHaveBeenCalled()
    expect(saves[0]?.request).toMatchObject({ form: 'text', text: 'the text' })
    expect(saves[0]?.request.graph?.layout?.p).toEqual([500, 500])
    session.undo()
    expect(session.draft.graph.layout?.p).not.toEqual([500, 500])
  })

  it('passes over an answer to what has been edited since', async () => {
    const { server, session } = open()
    let answer: (check: Check) => void = () => {}
    server.check.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)))
    session.editText('one')
    await vi.advanceTimersByTimeAsync(400)
    session.editText('two')
    answer({ ...CHECK, tree: 'the tree of one' })
    await vi.advanceTimersByTimeAsync(10)
    expect(session.draft.tree).toBe('the tree')
  })

  it('draws a text that was edited with a place for every block', async () => {
    const { server, session } = open()
    server.check.mockResolvedValue({ ...CHECK, graph: { ...GRAPH, layout: {} } })
    session.editText('other')
    await vi.advanceTimersByTimeAsync(400)
    expect(Object.keys(session.draft.graph.layout ?? {}).sort()).toEqual(['g', 'm', 'p', 'w'])
  })
})
