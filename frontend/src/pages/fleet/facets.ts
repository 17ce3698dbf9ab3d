import { type AgentState, STATES } from '../../live/frames'

/** By what agents are chosen: their states, those on the way to another left out. */
export type Facet = Exclude<AgentState, 'pausing' | 'unpausing'>

/** Of each state, by its place in STATES: who was ordered to be paused counts as paused until it is unpaused. */
export const facetOf: readonly Facet[] = STATES.map((state) =>
  state === 'pausing' || state === 'unpausing' ? 'paused' : state,
)

export const FACETS: readonly Facet[] = [...new Set(facetOf)]
