import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { answered, api } from '../../api/client'

/** The queue; asked for anew every two seconds, for the price moves and another person may decide. */
export const useApprovals = () =>
  useQuery({
    queryKey: ['approvals'],
    queryFn: () => answered(api.GET('/api/approvals', { params: { query: { last: 100 } } })),
    refetchInterval: 2_000,
    staleTime: 0,
  })

export const useApproverKeys = () =>
  useQuery({ queryKey: ['approvals', 'keys'], queryFn: () => answered(api.GET('/api/approvers')) })

/** This machine's clock, once a second. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(ticking)
  }, [])
  return now
}
