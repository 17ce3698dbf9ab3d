import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ranked } from './fleet'
import { readFrame } from './frames'
import { Live, type Socket } from './live'

class Wire implements Socket {
  onopen: (() => void) | null = null
  onclose: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  readonly said: Record<string, unknown>[] = []
  closed = false
  send(text: string) {
    this.said.push(JSON.parse(text))
  }
  close() {
    this.closed = true
  }
  says(frame: unknown) {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) })
  }
}

const status = (seq: number, more = {}) => ({
  topic: 'status',
  seq,
  sent_at: 1,
  mode: 'sample',
  run: 'r1',
  kind: 'bars',
  phase: 'trading',
  phase_text: '',
  progress: null,
  market_time: 1,
  heard_at: 1,
  standing: 'active',
  currency: 'USDT',
  equity: 100,
  day_profit: 0,
  day_loss_limit: 10,
  reserved: 0,
  drawdown: 0,
  gross: 0,
  agents: 2,
  positions: 0,
  approvals: 0,
  alerts: 0,
  ...more,
})

function fleet(seq: number, whole: boolean, index: number[], profit: number[], ids: string[] | null = null) {
  const each = <T>(value: T) => index.map(() => value)
  return {
    topic: 'fleet',
    seq,
    whole,
    sent_at: seq,
    run: 'r1',
    ids,
    names: ids,
    markets: ids,
    index,
    state: each('active'),
    equity: each(100),
    profit,
    total: profit,
    drawdown: each(0),
    exposure: each(0),
    risk: each(0),
    wealth: each(null),
  }
}

const line = (seq: number) => ({ seq, time: seq, kind: 'Filled', agent: null, text: `fact ${seq}`, tone: 'plain' })

let wires: Wire[]
let changes: (readonly string[] | null)[]
let refusals: number
let live: Live
const wire = () => wires[wires.length - 1] as Wire
const told = () => vi.advanceTimersByTime(17)

beforeEach(() => {
  vi.useFakeTimers()
  wires = []
  changes = []
  refusals = 0
  live = new Live({
    open: () => {
      const opened = new Wire()
      wires.push(opened)
      return opened
    },
    changed: (what) => changes.push(what),
    refused: () => refusals++,
  })
  live.start()
  live.want('fleet')
  live.want('feed')
  wire().onopen?.()
})
afterEach(() => {
  live.stop()
  vi.useRealTimers()
})

describe('frames', () => {
  it('says what it wants as soon as it can', () => {
    expect(wire().said).toContainEqual({ subscribe: ['status', 'changed', 'fleet', 'feed'] })
  })

  it('takes whole pictures and what changed after them', () => {
    wire().says(fleet(5, true, [0, 1], [1, 2], ['a', 'b']))
    wire().says(fleet(6, false, [1], [7]))
    expect([...live.fleet.profit]).toEqual([1, 7])
    expect(Number.isNaN(live.fleet.wealth[0])).toBe(true)
  })

  it('keeps the numbers of agents that stay when others come', () => {
    wire().says(fleet(1, true, [0, 1], [1, 2], ['a', 'b']))
    wire().says(fleet(2, false, [2], [9], ['b', 'a', 'c']))
    expect([...live.fleet.profit]).toEqual([2, 1, 9])
    expect(live.fleet.rowOf('c')).toBe(2)
  })

  it('asks for the whole picture after a gap, once, and takes no part of one until it has come', () => {
    wire().says(fleet(1, true, [0, 1], [1, 2], ['a', 'b']))
    wire().says(fleet(3, false, [0], [50]))
    wire().says(fleet(4, false, [0], [60]))
    expect([...live.fleet.profit]).toEqual([1, 2])
    expect(wire().said.filter((said) => 'resync' in said)).toEqual([{ resync: 'fleet' }])
    wire().says(fleet(5, true, [0, 1], [70, 2], ['a', 'b']))
    wire().says(fleet(6, false, [1], [3]))
    expect([...live.fleet.profit]).toEqual([70, 3])
  })

  it('does not take a frame twice, nor an older whole picture', () => {
    wire().says(fleet(5, true, [0, 1], [1, 2], ['a', 'b']))
    wire().says(fleet(6, false, [0], [3]))
    wire().says(fleet(6, false, [0], [4]))
    wire().says(fleet(4, true, [0, 1], [8, 9], ['a', 'b']))
    expect([...live.fleet.profit]).toEqual([3, 2])
    expect(wire().said.some((said) => 'resync' in said)).toBe(false)
  })

  it('keeps the newest lines of the feed in order', () => {
    wire().says({ topic: 'feed', seq: 1, whole: true, lines: [line(1), line(2)] })
    wire().says({ topic: 'feed', seq: 2, whole: false, lines: [line(3)] })
    expect(live.lines.map((each) => each.seq)).toEqual([1, 2, 3])
    for (let seq = 3; seq < 500; seq++) wire().says({ topic: 'feed', seq, whole: false, lines: [line(seq + 1)] })
    expect(live.lines.length).toBe(300)
    expect(live.lines[299]?.seq).toBe(500)
  })

  it('says which questions are to be asked anew, all of them after a gap', () => {
    wire().says({ topic: 'changed', seq: 1, what: ['alerts'] })
    wire().says({ topic: 'changed', seq: 3, what: ['runs'] })
    expect(changes).toEqual([['alerts'], null])
  })

  it('tells its listeners once in a frame of the screen, however much comes', () => {
    const told_ = vi.fn()
    live.on('fleet', told_)
    wire().says(fleet(1, true, [0, 1], [1, 2], ['a', 'b']))
    for (let seq = 2; seq < 40; seq++) wire().says(fleet(seq, false, [0], [seq]))
    expect(told_).not.toHaveBeenCalled()
    told()
    expect(told_).toHaveBeenCalledTimes(1)
  })
})

describe('hostile frames', () => {
  const whole = fleet(1, true, [0, 1], [1, 2], ['a', 'b'])
  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['no number', { ...whole, seq: 'x' }],
    ['another topic', { ...whole, topic: '__proto__' }],
    ['columns of other lengths', { ...whole, profit: [1] }],
    ['no numbers', { ...whole, profit: ['<img>', 2] }],
    ['a state that is none', { ...whole, state: ['active', 'constructor'] }],
    ['names too long', { ...whole, names: ['a', 'b'.repeat(5000)] }],
    ['a row before the first', { ...whole, index: [-1, 0] }],
    ['half a row', { ...whole, index: [0.5, 1] }],
    ['too many rows', { ...whole, ids: Array(20_001).fill('x') }],
    ['a status with words for numbers', status(1, { equity: 'rich' })],
    ['lines that are none', { topic: 'feed', seq: 1, whole: true, lines: [{}] }],
  ])('%s', (_, frame) => expect(readFrame(typeof frame === 'string' ? frame : JSON.stringify(frame))).toBeNull())

  it('rows beyond the last, the same row twice and the same agent twice change nothing', () => {
    wire().says(whole)
    for (const bad of [
      { ...fleet(2, false, [7], [1]) },
      { ...fleet(3, true, [0, 0], [5, 6], ['a', 'b']) },
      { ...fleet(4, true, [0, 1], [5, 6], ['a', 'a']) },
      { ...fleet(5, true, [0], [5], ['a', 'b']) },
    ])
      wire().says(bad)
    expect([...live.fleet.profit]).toEqual([1, 2])
    expect(live.fleet.ids).toEqual(['a', 'b'])
  })

  it('a row that is none is asked for anew, whatever else the frame says', () => {
    wire().says(whole)
    wire().says(fleet(2, false, [0, 7], [9, 9]))
    expect([...live.fleet.profit]).toEqual([1, 2])
    expect(wire().said).toContainEqual({ resync: 'fleet' })
  })

  it('what cannot be read is asked for anew', () => {
    wire().says({ ...whole, profit: ['x', 1] })
    expect(wire().said).toContainEqual({ resync: 'fleet' })
  })
})

describe('the link', () => {
  it('is live with the first frame, stale within two seconds of silence, and live again with the next', () => {
    expect(live.link.state).toBe('connecting')
    wire().says(status(1))
    expect(live.link).toEqual({ state: 'live', age: 0 })
    vi.advanceTimersByTime(1_000)
    expect(live.link.state).toBe('live')
    vi.advanceTimersByTime(1_000)
    expect(live.link).toEqual({ state: 'stale', age: 2 })
    vi.advanceTimersByTime(1_000)
    expect(live.link.age).toBe(3)
    wire().says(status(2))
    expect(live.link).toEqual({ state: 'live', age: 0 })
    expect(changes).toEqual([])
  })

  it('tries again at once, then at most every two seconds, and asks for everything anew', () => {
    wire().says(fleet(9, true, [0, 1], [1, 2], ['a', 'b']))
    wire().onclose?.()
    expect(live.link.state).toBe('reconnecting')
    vi.advanceTimersByTime(0)
    expect(wires.length).toBe(2)
    for (let tries = 0; tries < 20; tries++) {
      const before = wires.length
      wire().onclose?.()
      vi.advanceTimersByTime(2_000)
      expect(wires.length).toBe(before + 1)
    }
    expect(refusals).toBe(20)
    wire().onopen?.()
    expect(wire().said).toEqual([{ subscribe: ['status', 'changed', 'fleet', 'feed'] }])
    // Another server counts from the beginning.
    wire().says(fleet(1, true, [0, 1, 2], [4, 5, 6], ['a', 'b', 'c']))
    expect(live.link.state).toBe('live')
    expect(changes).toEqual([null])
    expect(live.fleet.ids).toEqual(['a', 'b', 'c'])
    wire().says({ topic: 'changed', seq: 40, what: ['alerts', 'runs'] })
    wire().says({ topic: 'changed', seq: 41, what: ['runs'] })
    expect(changes).toEqual([null, ['runs']])
  })

  it('gives up a connection that nobody has closed', () => {
    wire().says(status(1))
    vi.advanceTimersByTime(7_000)
    expect(wires[0]?.closed).toBe(true)
    expect(wires.length).toBe(2)
    wires[0]?.says(status(2))
    expect(live.link.state).toBe('reconnecting')
  })

  it('listens to a topic for a while after the last who looked at it has gone', () => {
    live.stop()
    live = new Live({ open: () => wires[wires.push(new Wire()) - 1] as Wire, changed: () => {}, refused: () => {} })
    live.start()
    wire().onopen?.()
    const [first, second] = [live.want('feed'), live.want('feed')]
    first()
    first()
    const silent = (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        wire().says(status(second + 1))
        vi.advanceTimersByTime(1_000)
      }
    }
    silent(20)
    expect(wire().said.at(-1)).toEqual({ subscribe: ['status', 'changed', 'feed'] })
    second()
    silent(9)
    expect(wire().said.at(-1)).toEqual({ subscribe: ['status', 'changed', 'feed'] })
    silent(2)
    expect(wire().said.at(-1)).toEqual({ subscribe: ['status', 'changed'] })
  })
})

it('ranks both ways, with what is unknown at the end', () => {
  wire().says(fleet(1, true, [0, 1, 2], [3, -1, 2], ['a10', 'a9', 'a1']))
  live.fleet.wealth.set([Number.NaN, 2, 1])
  const all = [0, 1, 2]
  expect(ranked(live.fleet, all, 'profit', true)).toEqual([0, 2, 1])
  expect(ranked(live.fleet, all, 'profit', false)).toEqual([1, 2, 0])
  expect(ranked(live.fleet, all, 'wealth', true)).toEqual([1, 2, 0])
  expect(ranked(live.fleet, all, 'wealth', false)).toEqual([2, 1, 0])
  expect(ranked(live.fleet, all, 'name', false)).toEqual([2, 1, 0])
})
