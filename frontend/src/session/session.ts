import { useQuery } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { answered, api, ProblemError, queries, type Schema, signedOut } from '../api/client'
import { live } from '../live/store'
import { takeToken } from './token'

export type Who = Schema<'Who'>

const KEY = ['session'] as const

/** Of the link that opened this page: taken when it loads, before anything else can look at the address. */
export const opened = takeToken()
let untried = opened

/** Who is signed in here. */
export function useSession() {
  return useQuery({
    queryKey: KEY,
    queryFn: async () => {
      const token = untried
      untried = null
      // Who came by a link need not be told first that he is not in; one that was used already may still be in.
      const asked = () => answered(api.GET('/api/session'))
      const who = await (token ? answered(api.POST('/api/session', { body: { token } })).catch(asked) : asked())
      signedOut.set(false) // in another tab of this browser, perhaps
      return who
    },
    staleTime: 60_000,
    refetchOnWindowFocus: true,
  })
}

export function useSignedOut(): boolean {
  return useSyncExternalStore(signedOut.subscribe, () => signedOut.now)
}

/** Open a session: with the token of a link, or with a password; the owner needs no name. */
export async function signIn(by: { token: string } | { name: string; password: string }): Promise<void> {
  const who = await answered(api.POST('/api/session', { body: by }))
  queries.setQueryData(KEY, who)
  signedOut.set(false)
  live.again()
  // Whatever was asked in the meantime was refused.
  void queries.invalidateQueries()
}

/** End the session of this browser. */
export async function signOut(): Promise<void> {
  await answered(api.DELETE('/api/session')).catch((error: unknown) => {
    if (!(error instanceof ProblemError && error.status === 401)) throw error
  })
  // What was on the pages is nobody's business any more.
  queries.clear()
  location.assign('/')
}
