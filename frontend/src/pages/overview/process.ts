import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { answered, api, queries, type Schema } from '../../api/client'

/** Has the process that trades begin again, or go on, perhaps at another pace. */
export const useRestart = (said: (pace: number) => string) =>
  useMutation({
    mutationFn: (body: Schema<'FleetRestart'>) => answered(api.POST('/api/fleet/process/restart', { body })),
    onSuccess: (work) => {
      notifications.show({ message: said(work.pace) })
      void queries.invalidateQueries({ queryKey: ['runs'] })
    },
  })
