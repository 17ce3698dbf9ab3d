import type { AgentState as State } from '../live/status'

const SHAPES: Record<State, string> = {
  active: '●',
  pausing: '◌',
  paused: '❚❚',
  unpausing: '◌',
  halted: '■',
  reducing: '◐',
  fired: '✕',
  released: '○',
}
export const STATE_WORDS: Record<State, string> = {
  active: 'Active',
  pausing: 'Pausing…',
  paused: 'Paused',
  unpausing: 'Unpausing…',
  halted: 'Halted',
  reducing: 'Reducing',
  fired: 'Fired',
  released: 'Released',
}

/** A shape, a word and a colour. */
export function AgentState({ state }: { state: State }) {
  return (
    <span className={`agent-state ${state}`}>
      <span aria-hidden>{SHAPES[state]}</span> <span className="agent-state-word">{STATE_WORDS[state]}</span>
    </span>
  )
}
