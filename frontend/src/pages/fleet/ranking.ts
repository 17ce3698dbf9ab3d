import { type Fleet, ranked } from '../../live/fleet'
import type { NumberColumn } from '../../live/frames'
import { FACETS, type Facet, facetOf } from './facets'

export type SortBy = NumberColumn | 'name' | 'state'

/** Which agents are asked for, and in which order. */
export interface Wish {
  query: string
  state: Facet | null
  by: SortBy
  down: boolean
}

/** Numbers move all the time; rows must not. */
const EVERY = 1_000

/** The rows that fit a wish, ranked anew once a second at most, and not at all while somebody points at them. */
export class Ranking {
  rows: readonly number[] = []
  private ids: readonly string[] = []
  private shape = -1
  private at = Number.NEGATIVE_INFINITY
  private wish = ''

  update(fleet: Fleet, wish: Wish, now: number, held: boolean): readonly number[] {
    const asked = JSON.stringify(wish)
    if (asked !== this.wish || (!held && (fleet.shape !== this.shape || now - this.at >= EVERY))) {
      this.rows = ranked(fleet, fitting(fleet, wish), wish.by, wish.down)
    } else if (fleet.shape === this.shape) return this.rows
    else this.rows = this.carriedOver(fleet, wish)
    this.wish = asked
    this.shape = fleet.shape
    this.ids = fleet.ids
    this.at = now
    return this.rows
  }

  /** The agents that stay where they were; others come after them. */
  private carriedOver(fleet: Fleet, wish: Wish): number[] {
    const stay = this.rows.flatMap((row) => fleet.rowOf(this.ids[row] ?? '') ?? [])
    const here = new Set(stay)
    const others = [...fitting(fleet, wish)].filter((row) => !here.has(row))
    return [...stay, ...ranked(fleet, others, wish.by, wish.down)]
  }
}

/** The rows of agents in whose name, strategy or markets every word of the query occurs. */
export function* fitting(fleet: Fleet, { query, state }: Pick<Wish, 'query' | 'state'>): Iterable<number> {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const texts = words.length > 0 ? textsOf(fleet) : []
  const wanted = state === null ? null : facetOf.map((facet) => facet === state)
  for (let row = 0; row < fleet.length; row++) {
    if (wanted !== null && !wanted[fleet.state[row] ?? 0]) continue
    if (words.length > 0 && !words.every((word) => texts[row]?.includes(word))) continue
    yield row
  }
}

const kept = new WeakMap<readonly string[], readonly string[]>()

/** What is looked through of each agent: made once, until the rows are others. */
function textsOf({ ids, names, markets }: Fleet): readonly string[] {
  const texts = kept.get(ids) ?? ids.map((id, row) => `${id} ${names[row]} ${markets[row]}`.toLowerCase())
  kept.set(ids, texts)
  return texts
}

/** How many agents are in each state. */
export function counts(fleet: Fleet): Record<Facet, number> {
  const found = Object.fromEntries(FACETS.map((facet) => [facet, 0])) as Record<Facet, number>
  for (const state of fleet.state) {
    const facet = facetOf[state]
    if (facet) found[facet]++
  }
  return found
}
