import { api, queries, signedOut } from '../api/client'
import { Live, type Socket } from './live'

const address = () => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/live`

/** The one of this window. */
export const live = new Live({
  open: () => {
    // Who is signed out is let in by no number of tries; `again` comes after the sign-in.
    if (signedOut.now) throw new Error('signed out')
    return new WebSocket(address()) as unknown as Socket
  },
  changed: (what) => {
    if (what === null) void queries.invalidateQueries()
    else for (const word of what) void queries.invalidateQueries({ queryKey: [word] })
    // What who is signed in may do may have been changed too, and before this page first listened.
    if (what?.includes('settings')) void queries.invalidateQueries({ queryKey: ['session'] })
  },
  // A refused handshake looks like a silent server from here: a plain question tells them apart.
  refused: () => {
    api.GET('/api/about').then(
      ({ response }) => response.status === 401 && signedOut.set(true),
      () => undefined,
    )
  },
})
