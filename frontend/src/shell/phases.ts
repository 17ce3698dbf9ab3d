import type { Status } from '../live/status'

/** What a run is doing, in a word or two. */
export const PHASES: Record<Status['phase'], string> = {
  idle: 'No run yet',
  compiling: 'Compiling',
  reading: 'Reading the market',
  searching: 'Searching',
  catching_up: 'Reading the journal',
  trading: 'Trading',
  ended: 'Run ended',
  stopped: 'Stopped',
  failed: 'Failed',
}
