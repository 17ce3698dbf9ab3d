/** A line of states with the present one in it. Edits that belong together, such as typing, are one step. */
export interface History<T> {
  past: readonly T[]
  present: T
  future: readonly T[]
  /** What kind of edit came last, and when; null where the next one is a step of its own. */
  last: { kind: string; at: number } | null
}

const MOST = 200
/** Edits of one kind within so many milliseconds are one step. */
export const TOGETHER = 1_000

export const begun = <T>(present: T): History<T> => ({ past: [], present, future: [], last: null })

/** One edit further. An edit of the same kind shortly after joins the one before. */
export function edited<T>(history: History<T>, present: T, kind: string, at: number): History<T> {
  if (present === history.present) return history
  const joins = history.last?.kind === kind && at - history.last.at < TOGETHER && history.past.length > 0
  const past = joins ? history.past : [...history.past, history.present].slice(-MOST)
  return { past, present, future: [], last: { kind, at } }
}

/** The present put right without a step: what the server has said to the same edit. */
export const amended = <T>(history: History<T>, present: T): History<T> => ({ ...history, present })

export function undone<T>(history: History<T>): History<T> {
  const present = history.past.at(-1)
  if (present === undefined) return history
  return { past: history.past.slice(0, -1), present, future: [history.present, ...history.future], last: null }
}

export function redone<T>(history: History<T>): History<T> {
  const [present, ...future] = history.future
  if (present === undefined) return history
  return { past: [...history.past, history.present], present, future, last: null }
}
