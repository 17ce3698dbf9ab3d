import { Button, Modal } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { answered, api } from '../../../api/client'
import { utc } from '../../../format'
import { CopyButton } from '../../../parts/CopyButton'
import { ProblemNotice } from '../../../parts/ProblemNotice'
import type { Person } from './people'

/** Make a link that lets one person in, once. */
export function LinkDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={`A link for ${person.name}`} closeOnClickOutside={false}>
      <LinkOf name={person.name} onClose={onClose} />
    </Modal>
  )
}

export function LinkOf({ name, onClose }: { name: string; onClose: () => void }) {
  const make = useMutation({
    mutationFn: () => answered(api.POST('/api/people/{name}/link', { params: { path: { name } } })),
  })
  if (make.data)
    return (
      <div className="access-form">
        <p>
          Send it to <bdi>{name}</bdi> alone: whoever opens it first is signed in as him. It works once, until{' '}
          {utc(make.data.ends)} UTC.
        </p>
        <div className="access-secret">
          <code>{make.data.link}</code>
          <CopyButton text={make.data.link} label="Copy the link" />
        </div>
        <div>
          <Button onClick={onClose}>I have copied it</Button>
        </div>
      </div>
    )
  return (
    <div className="access-form">
      <p>
        A link signs <bdi>{name}</bdi> in once, within ten minutes of being made. Once in, a password can be set under
        Settings.
      </p>
      {make.error && <ProblemNotice error={make.error} />}
      <div className="access-foot">
        <Button onClick={() => make.mutate()} loading={make.isPending} data-autofocus>
          Make a link
        </Button>
        <Button variant="default" onClick={onClose}>
          Not now
        </Button>
      </div>
    </div>
  )
}
