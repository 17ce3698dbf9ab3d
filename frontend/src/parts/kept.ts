import { useCallback, useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
const fresh = new Map<string, string | null>()

/** A text that this browser keeps for the person who sits before it; null where there is none. */
function readKept(key: string): string | null {
  if (!fresh.has(key)) {
    try {
      fresh.set(key, localStorage.getItem(`clawd.${key}`))
    } catch {
      fresh.set(key, null)
    }
  }
  return fresh.get(key) ?? null
}

export function keep(key: string, text: string): void {
  fresh.set(key, text)
  try {
    localStorage.setItem(`clawd.${key}`, text)
  } catch {
    // A browser that keeps nothing forgets it with the window.
  }
  for (const listener of [...listeners]) listener()
}

window.addEventListener('storage', (event) => {
  if (!event.key?.startsWith('clawd.')) return
  fresh.delete(event.key.slice('clawd.'.length))
  for (const listener of [...listeners]) listener()
})

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** A kept text, and how to keep another; the same in every window. */
export function useKept(key: string): [string | null, (text: string) => void] {
  const text = useSyncExternalStore(subscribe, () => readKept(key))
  return [text, useCallback((next: string) => keep(key, next), [key])]
}
