import { useEffect, useSyncExternalStore } from 'react'
import type { Fleet } from './fleet'
import type { FeedLine, Status } from './frames'
import type { Link } from './live'
import { live } from './store'

export type { AgentState, FeedLine, Status } from './frames'
export type { Link, LinkState } from './live'

const onStatus = (listener: () => void) => live.on('status', listener)
const onLink = (listener: () => void) => live.on('link', listener)
const onFleet = (listener: () => void) => live.on('fleet', listener)
const onFeed = (listener: () => void) => live.on('feed', listener)

/** The newest status, four times a second at most; null before the first. */
export const useStatus = (): Status | null => useSyncExternalStore(onStatus, () => live.status)

/** One thing of the status, for who need not draw again with every other. */
export const useStatusOf = <T extends string | number | boolean | null>(read: (status: Status) => T, otherwise: T): T =>
  useSyncExternalStore(onStatus, () => (live.status ? read(live.status) : otherwise))

/** How we hang on to the server. */
export const useLink = (): Link => useSyncExternalStore(onLink, () => live.link)

/** The agents, drawn with every frame that brings news of them; its columns change in place. */
export function useFleet(): Fleet {
  useEffect(() => live.want('fleet'), [])
  useSyncExternalStore(onFleet, () => live.versions.fleet)
  return live.fleet
}

/** The newest facts in words, oldest first. */
export function useFeed(): readonly FeedLine[] {
  useEffect(() => live.want('feed'), [])
  return useSyncExternalStore(onFeed, () => live.lines)
}
