import { NUMBERS } from '../../live/frames'
import { FACETS, type Facet } from './facets'
import type { SortBy, Wish } from './ranking'

export const USUAL: Wish = { query: '', state: null, by: 'profit', down: true }
const SORTS: readonly string[] = [...NUMBERS, 'name', 'state']

/** A wish as the address of the page says it; what is none is the usual. */
export function wishOf(search: URLSearchParams): Wish {
  const [by, way] = (search.get('sort') ?? '').split('-')
  const state = search.get('state') as Facet | null
  return {
    query: (search.get('q') ?? '').slice(0, 200),
    state: state && FACETS.includes(state) ? state : null,
    by: by && SORTS.includes(by) ? (by as SortBy) : USUAL.by,
    down: by && SORTS.includes(by) ? way !== 'up' : USUAL.down,
  }
}

export function searchOf({ query, state, by, down }: Wish): URLSearchParams {
  const search = new URLSearchParams()
  if (query) search.set('q', query)
  if (state) search.set('state', state)
  if (by !== USUAL.by || down !== USUAL.down) search.set('sort', `${by}-${down ? 'down' : 'up'}`)
  return search
}

/** A wish under a name, kept in the browser. */
export interface View {
  name: string
  search: string
}

const MOST_VIEWS = 20

/** The views that a text holds; what is none is left out. */
export function viewsOf(text: string | null): View[] {
  let found: unknown
  try {
    found = JSON.parse(text ?? '[]')
  } catch {
    return []
  }
  if (!Array.isArray(found)) return []
  return found
    .filter((view): view is View => typeof view?.name === 'string' && typeof view?.search === 'string')
    .map(({ name, search }) => ({ name: name.slice(0, 60), search: search.slice(0, 400) }))
    .slice(0, MOST_VIEWS)
}

/** With one more, in the place of the one that has its name. */
export const withView = (views: readonly View[], view: View): View[] =>
  [...views.filter((one) => one.name !== view.name), view].slice(-MOST_VIEWS)
