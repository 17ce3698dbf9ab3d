import { useQuery } from '@tanstack/react-query'
import { answered, api } from '../../api/client'

export const useSettings = () =>
  useQuery({ queryKey: ['settings'], queryFn: () => answered(api.GET('/api/settings')), staleTime: 0 })
