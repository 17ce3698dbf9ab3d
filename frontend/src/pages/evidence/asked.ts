import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { answered, api, type Schema } from '../../api/client'

export type ClaimOrder = 'number' | 'nearness' | 'wealth' | 'bars' | 'name'
export type TrialOrder =
  | 'recorded'
  | 'sharpe'
  | 'total_return'
  | 'max_drawdown'
  | 'turnover'
  | 'trades'
  | 'bars'
  | 'name'

interface ClaimsWanted {
  order: ClaimOrder
  descending: boolean
  offset: number
  name?: string
}

interface TrialsWanted {
  order: TrialOrder
  descending: boolean
  offset: number
  author?: string
  run?: string
  name?: string
  strategy?: string
  market?: string
}

export const CLAIMS_SHOWN = 20
export const TRIALS_SHOWN = 25
/** The server turns over no more of a list that is not in the order of time. */
export const TRIALS_DEEPEST = 20_000

/** What is still being counted is asked for again soon; the rest is told by the server when it changes. */
const soon = (current: boolean | undefined) => (current === false ? 1_000 : (false as const))

export const useEvidence = () =>
  useQuery({
    queryKey: ['evidence', 'overview'],
    queryFn: () => answered(api.GET('/api/evidence')),
    refetchInterval: ({ state }) => soon(state.data?.current && state.data.behaviour_current),
  })

export const useClaims = (wanted: ClaimsWanted) =>
  useQuery({
    queryKey: ['evidence', 'claims', wanted],
    queryFn: () => answered(api.GET('/api/evidence/claims', { params: { query: { ...wanted, limit: CLAIMS_SHOWN } } })),
    placeholderData: keepPreviousData,
  })

export const useClaim = (number: number) =>
  useQuery({
    queryKey: ['evidence', 'claim', number],
    queryFn: () => answered(api.GET('/api/evidence/claims/{number}', { params: { path: { number } } })),
  })

export const useStory = (hash: string | undefined) =>
  useQuery({
    queryKey: ['evidence', 'strategy', hash],
    enabled: hash !== undefined,
    queryFn: () =>
      answered(
        api.GET('/api/evidence/strategies/{content_hash}', { params: { path: { content_hash: hash as string } } }),
      ),
    refetchInterval: ({ state }) => soon(!underWay(state.data)),
  })

/** Whether its story is being told now. */
export const underWay = (story: Schema<'StoryModel'> | undefined): boolean =>
  story?.telling?.state === 'waiting' || story?.telling?.state === 'telling'

export const useTrials = (wanted: TrialsWanted) =>
  useQuery({
    queryKey: ['evidence', 'trials', wanted],
    queryFn: () => answered(api.GET('/api/evidence/trials', { params: { query: { ...wanted, limit: TRIALS_SHOWN } } })),
    placeholderData: keepPreviousData,
  })

export const useWorlds = () =>
  useQuery({ queryKey: ['evidence', 'worlds'], queryFn: () => answered(api.GET('/api/evidence/worlds')) })

export const useCampaigns = (offset: number) =>
  useQuery({
    queryKey: ['evidence', 'campaigns', offset],
    queryFn: () => answered(api.GET('/api/evidence/campaigns', { params: { query: { offset, limit: 10 } } })),
    placeholderData: keepPreviousData,
  })

export const useCampaign = (run: string) =>
  useQuery({
    queryKey: ['evidence', 'campaign', run],
    queryFn: () => answered(api.GET('/api/evidence/campaigns/{run}', { params: { path: { run } } })),
  })
