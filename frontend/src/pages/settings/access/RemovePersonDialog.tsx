import { Button, Modal } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { answered, api, queries } from '../../../api/client'
import { counted } from '../../../format'
import { ProblemNotice } from '../../../parts/ProblemNotice'
import type { Person } from './people'

/** Asks before somebody is let in no more, and says what ends with him. */
export function RemovePersonDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  const remove = useMutation({
    mutationFn: () => answered(api.DELETE('/api/people/{name}', { params: { path: { name: person.name } } })),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['settings'] }),
    onSuccess: () => {
      notifications.show({ title: `${person.name} is removed`, message: 'All that was open has ended.' })
      onClose()
    },
  })
  return (
    <Modal opened onClose={onClose} title={`Remove ${person.name}?`}>
      <div className="access-form">
        <p>
          {person.sessions > 0
            ? `${counted(person.sessions, 'open session ends', 'open sessions end')} at once, and`
            : 'No session is open;'}{' '}
          nobody comes in by that name or its links any more. What was done stays in the audit.
        </p>
        {person.keys.length > 0 && (
          <p className="warn">
            ⚠ API keys that end too, for {person.own ? 'you have' : `${person.name} has`} made them:{' '}
            <bdi>{person.keys.join(', ')}</bdi>
          </p>
        )}
        {remove.error && <ProblemNotice error={remove.error} />}
        <div className="access-foot">
          <Button color="danger" onClick={() => remove.mutate()} loading={remove.isPending}>
            Remove the person
          </Button>
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
        </div>
      </div>
    </Modal>
  )
}
