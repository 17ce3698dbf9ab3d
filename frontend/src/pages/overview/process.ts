import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { answered, api, queries, type Schema } from '../../api/client'

/** Has the process that trades begin again, or go on, perhaps at another pace. */
export const useRestart = (said: (asked: Schema<'FleetRestart'>) => string) =>
  useMutation({
    mutationFn: (body: Schema<'FleetRestart'>) => answered(api.POST('/api/fleet/process/restart', { body })),
    onSuccess: (_, asked) => {
      notifications.show({ message: said(asked) })
      void queries.invalidateQueries({ queryKey: ['runs'] })
    },
  })
