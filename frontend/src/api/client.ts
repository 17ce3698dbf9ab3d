import { QueryClient } from '@tanstack/react-query'
import createClient from 'openapi-fetch'
import type { components, paths } from './schema.gen'

/** Any schema of the interface by its name. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name]
export type Problem = Schema<'Problem'>

/** An answer that is not a success, as the server told it. */
export class ProblemError extends Error {
  readonly status: number
  readonly problem: Problem

  constructor(status: number, problem: Problem) {
    super(problem.what)
    this.status = status
    this.problem = problem
  }
}

/** How long an action may go without an answer before the page says so, milliseconds. */
const PATIENCE = 10_000

export const api = createClient<paths>({
  fetch: (request) => fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE)]) }),
})

/** Whether the server no longer knows who we are: the pages give way to the sign-in. */
export const signedOut = {
  now: false,
  listeners: new Set<() => void>(),
  set(value: boolean): void {
    if (value === signedOut.now) return
    signedOut.now = value
    for (const listener of [...signedOut.listeners]) listener()
  },
  subscribe(listener: () => void): () => void {
    signedOut.listeners.add(listener)
    return () => signedOut.listeners.delete(listener)
  },
}

/** What an answer holds; throws a {@link ProblemError} where it is not a success. */
export async function answered<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let result: Awaited<typeof call>
  try {
    result = await call
  } catch (error) {
    const late = error instanceof DOMException && error.name === 'TimeoutError'
    throw new ProblemError(0, {
      what: late ? 'the server has not answered in time' : 'the server cannot be reached',
      where: null,
      hint: late ? 'it may still have done it: look before you try again' : 'this page tries again by itself',
    })
  }
  if (result.response.ok) return result.data as T
  if (result.response.status === 401) signedOut.set(true)
  const said = result.error as Partial<Problem> | undefined
  throw new ProblemError(result.response.status, {
    what: said?.what ?? `the server answered with ${result.response.status}`,
    where: said?.where ?? null,
    hint: said?.hint ?? null,
  })
}

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      // What was refused stays refused; only silence is worth another try.
      retry: (count, error) => error instanceof ProblemError && error.status === 0 && count < 5,
      refetchOnWindowFocus: false,
    },
  },
})
