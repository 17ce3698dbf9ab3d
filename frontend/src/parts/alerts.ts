import { useMutation, useQuery } from '@tanstack/react-query'
import { answered, api, queries, type Schema } from '../api/client'

export type AlertView = Schema<'AlertView'>

/** What a person should know of, what nobody has acknowledged first. */
export const useAlerts = (wanted = true) =>
  useQuery({ queryKey: ['alerts'], queryFn: () => answered(api.GET('/api/alerts')), enabled: wanted })

/** Says that an alert was seen. */
export const useAcknowledge = () =>
  useMutation({
    mutationFn: (alert: AlertView) =>
      answered(
        api.POST('/api/alerts/{alert}/acknowledge', {
          params: { path: { alert: alert.id }, query: { run: alert.run } },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['alerts'] }),
  })
