import { Fleet } from './fleet'
import { type ChangedFrame, type FeedLine, type FleetFrame, readFrame, type Status, type Topic } from './frames'

export type LinkState = 'connecting' | 'live' | 'stale' | 'reconnecting'

/** How the pages hang on to the server. */
export interface Link {
  state: LinkState
  /** Whole seconds since the server was last heard; 0 while it is live. */
  age: number
}

export interface Socket {
  onopen: (() => void) | null
  onclose: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  send(text: string): void
  close(): void
}

interface Outside {
  open(): Socket
  /** What is held elsewhere under these words is no longer true; null: all of it. */
  changed(what: readonly string[] | null): void
  /** The server could not be reached; it may have refused us. */
  refused(): void
}

/** The status comes every second at least: who is silent for longer is stale, milliseconds. */
const STALE = 1_500
/** Silence after which a connection is given up, though nobody has closed it. */
const DEAD = 6_000
const TICK = 250
/** Waits before another try; the first is made at once, and it stays at the last. */
const BACKOFF = [0, 250, 500, 1_000, 2_000]
/** How long a topic that nobody looks at is still listened to: who goes to another page and back asks for nothing. */
const LINGER = 10_000
/** How long a whole picture may be under way before it is asked for again. */
const RESYNC = 2_000
const LINES_KEPT = 300

type Listener = () => void
type Wanted = 'fleet' | 'feed'
export type Part = 'status' | 'fleet' | 'feed' | 'link'

/**
 * The one socket, and what came through it. Numbers are kept outside React; listeners are told at most once in an
 * animation frame.
 */
export class Live {
  status: Status | null = null
  readonly fleet = new Fleet()
  lines: readonly FeedLine[] = []
  link: Link = { state: 'connecting', age: 0 }
  /** One more after each time that listeners were told of a part. */
  readonly versions: Record<Part, number> = { status: 0, fleet: 0, feed: 0, link: 0 }

  private socket: Socket | null = null
  private tries = 0
  private everHeard = false
  /** Whether everything was asked for anew when this connection was first heard. */
  private renewed = false
  private heardAt = 0
  private openedAt = 0
  private readonly seen = new Map<Topic, number>()
  private readonly asked = new Map<Topic, number>()
  private readonly wanted: Record<Wanted, number> = { fleet: 0, feed: 0 }
  private subscribed = new Set<Topic>(['status', 'changed'])
  private readonly listeners: Record<Part, Set<Listener>> = {
    status: new Set(),
    fleet: new Set(),
    feed: new Set(),
    link: new Set(),
  }
  private readonly dirty = new Set<Part>()
  private frame = 0
  private ticking: ReturnType<typeof setInterval> | undefined
  private retry: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly outside: Outside) {}

  start(): void {
    this.heardAt = performance.now()
    this.ticking ??= setInterval(this.tick, TICK)
    if (!this.socket) this.connect()
  }

  stop(): void {
    clearInterval(this.ticking)
    clearTimeout(this.retry)
    this.ticking = undefined
    this.drop()
  }

  /** Try at once, as after a sign-in. */
  again(): void {
    if (this.socket && this.link.state === 'live') return
    clearTimeout(this.retry)
    this.drop()
    this.tries = 0
    this.connect()
  }

  on(part: Part, listener: Listener): () => void {
    this.listeners[part].add(listener)
    return () => this.listeners[part].delete(listener)
  }

  /** Somebody looks at a topic, until the function that is returned is called. */
  want(topic: Wanted): () => void {
    this.wanted[topic]++
    this.subscribe()
    let done = false
    return () => {
      if (done) return
      done = true
      this.wanted[topic]--
      setTimeout(() => this.subscribe(), LINGER)
    }
  }

  private subscribe(): void {
    const topics: Topic[] = ['status', 'changed']
    for (const topic of ['fleet', 'feed'] as const) if (this.wanted[topic] > 0) topics.push(topic)
    if (topics.length === this.subscribed.size && topics.every((topic) => this.subscribed.has(topic))) return
    for (const topic of this.subscribed) if (!topics.includes(topic)) this.seen.delete(topic)
    this.subscribed = new Set(topics)
    this.say({ subscribe: topics })
  }

  private connect(): void {
    let socket: Socket
    try {
      socket = this.outside.open()
    } catch {
      this.later()
      return
    }
    this.socket = socket
    this.openedAt = performance.now()
    socket.onopen = () => {
      this.seen.clear()
      this.asked.clear()
      this.say({ subscribe: [...this.subscribed] })
    }
    socket.onmessage = (event) => this.receive(event.data)
    socket.onclose = () => {
      if (this.socket !== socket) return
      const opened = this.seen.size > 0
      this.drop()
      if (!opened) this.outside.refused()
      this.setLink(this.everHeard ? 'reconnecting' : 'connecting')
      this.later()
    }
  }

  private later(): void {
    const wait = BACKOFF[Math.min(this.tries++, BACKOFF.length - 1)]
    clearTimeout(this.retry)
    this.retry = setTimeout(() => this.connect(), wait)
  }

  private drop(): void {
    const socket = this.socket
    this.socket = null
    this.seen.clear()
    if (!socket) return
    socket.onopen = socket.onclose = socket.onmessage = null
    try {
      socket.close()
    } catch {
      // It was closed already.
    }
  }

  private say(what: object): void {
    try {
      this.socket?.send(JSON.stringify(what))
    } catch {
      // It is not open yet, or no longer: what is wanted is said again when it opens.
    }
  }

  private receive(data: unknown): void {
    const frame = readFrame(data)
    if (!frame) {
      this.bad(data)
      return
    }
    this.heardAt = performance.now()
    this.tries = 0
    if (this.link.state !== 'live') {
      // Whatever was changed while nobody listened.
      this.renewed = this.everHeard && this.link.state === 'reconnecting'
      if (this.renewed) this.outside.changed(null)
      this.everHeard = true
      this.setLink('live')
    }
    const last = this.seen.get(frame.topic)
    if (frame.topic === 'status') {
      if (last !== undefined && frame.seq < last) return
      this.seen.set('status', frame.seq)
      this.status = frame
      this.touch('status')
    } else if (frame.topic === 'changed') this.receiveChanged(frame, last)
    else if (frame.whole || frame.seq === (last ?? Number.NaN) + 1) {
      if (frame.whole && last !== undefined && frame.seq < last) return
      if (frame.topic === 'fleet') this.receiveFleet(frame)
      else {
        this.lines = (frame.whole ? frame.lines : [...this.lines, ...frame.lines]).slice(-LINES_KEPT)
        this.seen.set('feed', frame.seq)
        this.asked.delete('feed')
        this.touch('feed')
      }
    } else if (last === undefined || frame.seq > last + 1) this.resync(frame.topic)
  }

  private receiveFleet(frame: FleetFrame): void {
    if (!this.fleet.apply(frame)) {
      this.resync('fleet')
      return
    }
    this.seen.set('fleet', frame.seq)
    this.asked.delete('fleet')
    this.touch('fleet')
  }

  private receiveChanged(frame: ChangedFrame, last: number | undefined): void {
    if (last !== undefined && frame.seq <= last) return
    this.seen.set('changed', frame.seq)
    // The first of a connection names everything, since nobody knows what we hold.
    if (last === undefined && this.renewed) return
    this.outside.changed(last !== undefined && frame.seq > last + 1 ? null : frame.what)
  }

  /** What cannot be read may have been a change: its topic is asked for anew where one can be made out. */
  private bad(data: unknown): void {
    const topic = typeof data === 'string' ? /"topic"\s*:\s*"(fleet|feed)"/.exec(data.slice(0, 200))?.[1] : undefined
    if (topic === 'fleet' || topic === 'feed') this.resync(topic)
  }

  private resync(topic: Topic): void {
    const now = performance.now()
    this.seen.delete(topic)
    if (now - (this.asked.get(topic) ?? Number.NEGATIVE_INFINITY) < RESYNC) return
    this.asked.set(topic, now)
    this.say({ resync: topic })
  }

  private readonly tick = (): void => {
    const silent = performance.now() - this.heardAt
    if (this.socket && performance.now() - Math.max(this.heardAt, this.openedAt) > DEAD) {
      this.drop()
      this.setLink(this.everHeard ? 'reconnecting' : 'connecting')
      this.later()
    } else if (this.link.state === 'live' && silent > STALE) this.setLink('stale')
    else this.setLink(this.link.state)
  }

  private setLink(state: LinkState): void {
    const age = state === 'live' ? 0 : Math.round((performance.now() - this.heardAt) / 1000)
    if (state === this.link.state && age === this.link.age) return
    this.link = { state, age }
    this.touch('link')
  }

  private touch(part: Part): void {
    this.dirty.add(part)
    this.frame ||= requestAnimationFrame(this.tell)
  }

  private readonly tell = (): void => {
    this.frame = 0
    const parts = [...this.dirty]
    this.dirty.clear()
    for (const part of parts) this.versions[part]++
    for (const part of parts) for (const listener of [...this.listeners[part]]) listener()
  }
}
