import { useQuery } from '@tanstack/react-query'
import { answered, api } from '../api/client'

/** What holds, and what each level of a stop would do now; asked for anew while somebody looks at it. */
export const useStanding = (looking: boolean) =>
  useQuery({
    queryKey: ['standing'],
    queryFn: () => answered(api.GET('/api/standing')),
    enabled: looking,
    refetchInterval: looking ? 2_000 : false,
    staleTime: 0,
  })
