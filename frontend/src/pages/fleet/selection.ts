/** The agents that a person has selected, by their ids: whatever moves or is filtered, they stay selected. */
export interface Selection {
  ids: ReadonlySet<string>
  /** Where the next range begins. */
  from: string | null
  /** What the last range has added: another from the same place takes it back. */
  reach: readonly string[]
}

export const NOTHING: Selection = { ids: new Set(), from: null, reach: [] }

/** With an agent more, or less. */
export function toggled({ ids }: Selection, id: string): Selection {
  const next = new Set(ids)
  if (!next.delete(id)) next.add(id)
  return { ids: next, from: id, reach: [] }
}

/**
 * With everything between the place where the range begins and an agent.
 *
 * @param order the agents from above as they are shown.
 * @param from where it begins if nothing was selected before, or if that is not shown.
 */
export function reaching(selection: Selection, order: readonly string[], id: string, from = id): Selection {
  const begin = selection.from !== null && order.includes(selection.from) ? selection.from : from
  const [first, last] = [order.indexOf(begin), order.indexOf(id)].sort((a, b) => a - b)
  if (first === undefined || last === undefined || first < 0) return toggled(selection, id)
  const ids = new Set(selection.ids)
  for (const one of selection.reach) ids.delete(one)
  const reach = order.slice(first, last + 1).filter((one) => !ids.has(one))
  for (const one of reach) ids.add(one)
  return { ids, from: begin, reach }
}

/** With all of some agents, or without any of them. */
export function including(selection: Selection, some: readonly string[], on: boolean): Selection {
  const ids = new Set(selection.ids)
  for (const id of some) {
    if (on) ids.add(id)
    else ids.delete(id)
  }
  return { ids, from: null, reach: [] }
}

/** Without the agents that are no longer there; the same where all of them are. */
export function present(selection: Selection, isThere: (id: string) => boolean): Selection {
  const there = [...selection.ids].filter(isThere)
  if (there.length === selection.ids.size) return selection
  return { ...selection, ids: new Set(there), reach: selection.reach.filter(isThere) }
}
