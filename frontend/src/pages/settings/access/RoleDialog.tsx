import { Button, Modal } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api, queries, type Schema } from '../../../api/client'
import { ProblemNotice } from '../../../parts/ProblemNotice'
import type { Person } from './people'
import { type Role, RoleChoice } from './RoleChoice'

/** Give somebody another role. */
export function RoleDialog({
  person,
  roles,
  onClose,
}: {
  person: Person
  roles: readonly Schema<'RoleMeaning'>[]
  onClose: () => void
}) {
  const [role, setRole] = useState<Role>(person.role ?? 'viewer')
  const change = useMutation({
    mutationFn: () =>
      answered(
        api.PUT('/api/people/{name}/role', {
          params: { path: { name: person.name } },
          body: { role, before: person.role },
        }),
      ),
    onSettled: () => {
      for (const word of ['settings', 'session']) void queries.invalidateQueries({ queryKey: [word] })
    },
    onSuccess: () => {
      notifications.show({ title: `${person.name} is ${role} now`, message: 'It holds at once, open pages too.' })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate()
  }
  return (
    <Modal opened onClose={onClose} title={`The role of ${person.name}`}>
      <form className="access-form" onSubmit={submit}>
        <RoleChoice roles={roles} value={role} onChange={setRole} />
        {change.error && <ProblemNotice error={change.error} />}
        <div>
          <Button type="submit" disabled={role === person.role} loading={change.isPending}>
            Change the role
          </Button>
        </div>
      </form>
    </Modal>
  )
}
