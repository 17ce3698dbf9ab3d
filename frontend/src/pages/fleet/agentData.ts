import { useQuery } from '@tanstack/react-query'
import { answered, api } from '../../api/client'
import { useStatusOf } from '../../live/status'

/** How often what an agent holds is asked for anew while it trades, milliseconds. */
const EVERY = 4_000

const useTrading = () => useStatusOf((status) => status.phase === 'trading', false)
/** The run, and what it does: when that is something else, what was asked is no longer true. */
const useRun = () => useStatusOf((status) => `${status.run} ${status.phase}`, '')

/** Whether an answer was of the same agent: what it said stays until the next comes; of another it would be a lie. */
const isOf = (query: { queryKey: readonly unknown[] } | undefined, ...what: string[]) =>
  what.every((word, at) => query?.queryKey[3 + at] === word)

/** One agent in full. */
export function useAgent(agent: string) {
  const trading = useTrading()
  return useQuery({
    queryKey: ['runs', useRun(), 'agent', agent],
    queryFn: () => answered(api.GET('/api/agents/{agent}', { params: { path: { agent } } })),
    refetchInterval: trading ? EVERY : false,
    placeholderData: (before, query) => (isOf(query, agent) ? before : undefined),
  })
}

export function useTrades(agent: string) {
  const trading = useTrading()
  return useQuery({
    queryKey: ['runs', useRun(), 'trades', agent],
    queryFn: () =>
      answered(api.GET('/api/agents/{agent}/trades', { params: { path: { agent }, query: { limit: 300 } } })),
    refetchInterval: trading ? EVERY * 2 : false,
    placeholderData: (before, query) => (isOf(query, agent) ? before : undefined),
  })
}

export function usePrices(symbol: string, agent: string) {
  const trading = useTrading()
  return useQuery({
    queryKey: ['runs', useRun(), 'prices', symbol, agent],
    queryFn: () =>
      answered(api.GET('/api/prices/{symbol}', { params: { path: { symbol }, query: { agent, points: 3000 } } })),
    refetchInterval: trading ? EVERY * 2 : false,
    placeholderData: (before, query) => (isOf(query, symbol, agent) ? before : undefined),
  })
}

export function useAgentJournal(agent: string, before: number | null) {
  return useQuery({
    queryKey: ['runs', useRun(), 'journal', agent, before],
    queryFn: () =>
      answered(
        api.GET('/api/journal', { params: { query: { agent, limit: 50, ...(before === null ? {} : { before }) } } }),
      ),
    placeholderData: (page, query) => (isOf(query, agent) ? page : undefined),
  })
}

export function useClaim(number: number) {
  return useQuery({
    queryKey: ['evidence', 'claims', number],
    queryFn: () => answered(api.GET('/api/evidence/claims/{number}', { params: { path: { number } } })),
  })
}
