import { Button, Modal } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { answered, api, queries, type Schema } from '../../../api/client'
import { ProblemNotice } from '../../../parts/ProblemNotice'

/** Asks before a key ends: it cannot be had back. */
export function RevokeDialog({ apiKey, onClose }: { apiKey: Schema<'ApiKey'>; onClose: () => void }) {
  const revoke = useMutation({
    mutationFn: () => answered(api.DELETE('/api/keys/{id}', { params: { path: { id: apiKey.id } } })),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['settings', 'keys'] }),
    onSuccess: () => {
      notifications.show({ title: `${apiKey.name} is revoked`, message: 'It opens nothing any more.' })
      onClose()
    },
  })
  return (
    <Modal opened onClose={onClose} title={`Revoke ${apiKey.name}?`}>
      <div className="access-form">
        <p>Whatever uses this key is shut out within seconds, for ever. A new key can be made in its place.</p>
        {revoke.error && <ProblemNotice error={revoke.error} />}
        <div className="access-foot">
          <Button color="danger" onClick={() => revoke.mutate()} loading={revoke.isPending}>
            Revoke the key
          </Button>
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep it
          </Button>
        </div>
      </div>
    </Modal>
  )
}
