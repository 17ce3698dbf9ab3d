import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { answered, api, type Schema } from '../../api/client'

export type Summary = Schema<'BacktestSummary'>
export type Detail = Schema<'BacktestDetail'>
export type Result = Schema<'BacktestResult'>
export type Order = Schema<'BacktestOrder'>
export type Trade = Schema<'TradeOut'>
export type Fill = Schema<'FillOut'>
export type Comparison = Schema<'BacktestComparison'>
export type State = Summary['state']

/** How often a page asks by itself while something runs, milliseconds; it is told sooner where the link is up. */
const EVERY = 700
/** Rows of a page of the list, and of one of trades. */
export const PAGE = 50

export const isOpen = (run: { state: State } | undefined): boolean =>
  run?.state === 'waiting' || run?.state === 'running'

export interface Filter {
  text: string
  state: State | ''
  offset: number
}

export function useBacktests({ text, state, offset }: Filter) {
  return useQuery({
    queryKey: ['backtests', 'list', text, state, offset],
    queryFn: () =>
      answered(
        api.GET('/api/backtests', {
          params: { query: { text, offset, limit: PAGE, ...(state === '' ? {} : { state }) } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state: { data } }) => (data?.engine || data?.backtests.some(isOpen) ? EVERY : false),
  })
}

export function useBacktest(id: string | null) {
  return useQuery({
    queryKey: ['backtests', id],
    queryFn: () => answered(api.GET('/api/backtests/{id}', { params: { path: { id: id ?? '' } } })),
    enabled: id !== null,
    refetchInterval: ({ state: { data } }) => (isOpen(data) ? EVERY : false),
  })
}

/** What never changes once it is there is asked for once: its keys are none that are told to be out of date. */
const LASTING = { staleTime: Number.POSITIVE_INFINITY }

/** Points that are asked for: with one more before the first they are no more than a chart takes. */
const POINTS = 4_990

export function useSeries(id: string) {
  return useQuery({
    queryKey: ['backtests.series', id],
    queryFn: () =>
      answered(api.GET('/api/backtests/{id}/series', { params: { path: { id }, query: { points: POINTS } } })),
    ...LASTING,
  })
}

export function useTrades(id: string, symbol: string, offset: number) {
  return useQuery({
    queryKey: ['backtests.trades', id, symbol, offset],
    queryFn: () =>
      answered(
        api.GET('/api/backtests/{id}/trades', {
          params: { path: { id }, query: { offset, limit: PAGE, ...(symbol ? { symbol } : {}) } },
        }),
      ),
    placeholderData: keepPreviousData,
    ...LASTING,
  })
}

export function useTrade(id: string, number: number | null) {
  return useQuery({
    queryKey: ['backtests.trade', id, number],
    queryFn: () =>
      answered(api.GET('/api/backtests/{id}/trades/{number}', { params: { path: { id, number: number ?? 0 } } })),
    enabled: number !== null,
    ...LASTING,
  })
}

/** The prices of an instrument, from and to in milliseconds; all of them where these are null. */
export function usePrices(id: string, symbol: string | null, from: number | null, to: number | null) {
  return useQuery({
    queryKey: ['backtests.prices', id, symbol, from, to],
    queryFn: () =>
      answered(
        api.GET('/api/backtests/{id}/prices', { params: { path: { id }, query: { symbol: symbol ?? '', from, to } } }),
      ),
    enabled: symbol !== null,
    ...LASTING,
  })
}

export function useComparison(ids: readonly string[]) {
  return useQuery({
    queryKey: ['backtests.compare', ...ids],
    queryFn: () => answered(api.GET('/api/backtests/compare', { params: { query: { ids: ids.join(',') } } })),
    enabled: ids.length > 1,
    ...LASTING,
  })
}

export function useMarkets() {
  return useQuery({ queryKey: ['markets'], queryFn: () => answered(api.GET('/api/markets')) })
}

export function useStart() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (order: Order) => answered(api.POST('/api/backtests', { body: order })),
    onSuccess: (run) => {
      queries.setQueryData(['backtests', run.id], { ...run, result: null })
      return queries.invalidateQueries({ queryKey: ['backtests', 'list'] })
    },
  })
}

export function useCancel() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => answered(api.POST('/api/backtests/{id}/cancel', { params: { path: { id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ['backtests'] }),
  })
}

export function useRemove() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => answered(api.DELETE('/api/backtests/{id}', { params: { path: { id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ['backtests', 'list'] }),
  })
}

export function usePin() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ id, pinned }: { id: string; pinned: boolean }) =>
      answered(api.PUT('/api/backtests/{id}/pin', { params: { path: { id } }, body: { pinned } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ['backtests'] }),
  })
}
