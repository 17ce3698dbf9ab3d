import { type FleetFrame, NUMBERS, type NumberColumn, STATES } from './frames'

/**
 * The agents of the run by columns, outside React: a row is the index of an agent, the same until another whole picture
 * comes. What is unknown is NaN.
 */
export class Fleet {
  run: string | null = null
  /** When the server sent the newest numbers, its clock. */
  sentAt = 0
  ids: readonly string[] = []
  names: readonly string[] = []
  markets: readonly string[] = []
  /** Indices into STATES. */
  state = new Uint8Array(0)
  equity = new Float64Array(0)
  profit = new Float64Array(0)
  total = new Float64Array(0)
  drawdown = new Float64Array(0)
  exposure = new Float64Array(0)
  risk = new Float64Array(0)
  wealth = new Float64Array(0)
  /** Another whenever the rows or their names are others: what was sorted or filtered is to be done anew. */
  shape = 0
  private rows = new Map<string, number>()

  get length(): number {
    return this.ids.length
  }

  rowOf(id: string): number | undefined {
    return this.rows.get(id)
  }

  /** Takes a frame; false, and nothing is changed, where it does not fit to what is here. */
  apply(frame: FleetFrame): boolean {
    const { ids, names, markets } = frame
    const length = ids ? ids.length : this.length
    if (frame.index.some((row) => row >= length)) return false
    if (frame.whole && (!ids || frame.index.length !== length)) return false
    if (!frame.whole && frame.run !== this.run) return false
    if (ids && names && markets) {
      const rows = new Map(ids.map((id, row) => [id, row]))
      if (rows.size !== length) return false
      if (frame.whole && new Set(frame.index).size !== length) return false
      this.reshape(ids, rows, frame.whole)
      this.names = names
      this.markets = markets
    }
    this.run = frame.run
    this.sentAt = frame.sent_at
    for (let at = 0; at < frame.index.length; at++) {
      const row = frame.index[at] as number
      this.state[row] = STATES.indexOf(frame.state[at] as (typeof STATES)[number])
      for (const name of NUMBERS) this[name][row] = frame[name][at] ?? Number.NaN
    }
    return true
  }

  private reshape(ids: readonly string[], rows: Map<string, number>, whole: boolean): void {
    const moved = (old: Float64Array) => {
      const column = new Float64Array(ids.length).fill(Number.NaN)
      if (!whole) for (const [from, id] of this.ids.entries()) put(column, rows.get(id), old[from])
      return column
    }
    const state = new Uint8Array(ids.length)
    if (!whole) for (const [from, id] of this.ids.entries()) put(state, rows.get(id), this.state[from])
    for (const name of NUMBERS) this[name] = moved(this[name])
    this.state = state
    this.ids = ids
    this.rows = rows
    this.shape++
  }
}

function put(column: Float64Array | Uint8Array, row: number | undefined, value: number | undefined): void {
  if (row !== undefined && value !== undefined) column[row] = value
}

/** Rows by one column; what is unknown comes last either way, and equals keep the order of the fleet. */
export function ranked(
  fleet: Fleet,
  rows: Iterable<number>,
  by: NumberColumn | 'name' | 'state',
  down: boolean,
): number[] {
  const order = [...rows]
  const sign = down ? -1 : 1
  if (by === 'name') {
    const compare = new Intl.Collator('en', { numeric: true }).compare
    return order.sort((a, b) => sign * compare(fleet.ids[a] ?? '', fleet.ids[b] ?? '') || a - b)
  }
  const column = fleet[by]
  return order.sort((a, b) => {
    const left = column[a] as number
    const right = column[b] as number
    if (Number.isNaN(left) || Number.isNaN(right))
      return Number(Number.isNaN(left)) - Number(Number.isNaN(right)) || a - b
    return sign * (left - right) || a - b
  })
}
