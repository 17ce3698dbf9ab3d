import { Button, Modal, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api, queries, type Schema } from '../../../api/client'
import { ProblemNotice } from '../../../parts/ProblemNotice'
import { LinkOf } from './LinkDialog'
import { type Role, RoleChoice } from './RoleChoice'

/** Let somebody in, and go on to the link that he comes in by. */
export function NewPersonDialog({ roles, onClose }: { roles: readonly Schema<'RoleMeaning'>[]; onClose: () => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const add = useMutation({
    mutationFn: () => answered(api.POST('/api/people', { body: { name: name.trim(), role } })),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['settings', 'people'] }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    add.mutate()
  }
  if (add.data)
    return (
      <Modal opened onClose={onClose} title={`${add.data.name} may come in`} closeOnClickOutside={false}>
        <LinkOf name={add.data.name} onClose={onClose} />
      </Modal>
    )
  return (
    <Modal opened onClose={onClose} title="Add a person">
      <form className="access-form" onSubmit={submit}>
        <TextInput
          label="Name"
          description="Letters, digits, dots, dashes and underscores: he signs in by it, and it stands in the audit"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={64}
          autoComplete="off"
          data-autofocus
        />
        <RoleChoice roles={roles} value={role} onChange={setRole} />
        {add.error && <ProblemNotice error={add.error} />}
        <div>
          <Button type="submit" disabled={name.trim() === ''} loading={add.isPending}>
            Add the person
          </Button>
        </div>
      </form>
    </Modal>
  )
}
