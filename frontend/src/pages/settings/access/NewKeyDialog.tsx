import { Button, Checkbox, Modal, NativeSelect, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api, queries } from '../../../api/client'
import { CopyButton } from '../../../parts/CopyButton'
import { ProblemNotice } from '../../../parts/ProblemNotice'
import { LIFETIMES, SCOPES, type Scope } from './scopes'

/** Make a key, and show it this once. */
export function NewKeyDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<string[]>(['read'])
  const [days, setDays] = useState('90')
  const make = useMutation({
    mutationFn: () =>
      answered(
        api.POST('/api/keys', {
          body: { name: name.trim(), scopes: scopes as Scope[], days: days === '' ? null : Number(days) },
        }),
      ),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['settings', 'keys'] }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    make.mutate()
  }
  if (make.data)
    return (
      <Modal opened onClose={onClose} title={`The key ${make.data.key.name}`} closeOnClickOutside={false}>
        <div className="access-form">
          <p>Copy it now. It is shown this once: only its hash is kept.</p>
          <div className="access-secret">
            <code>{make.data.secret}</code>
            <CopyButton text={make.data.secret} label="Copy the key" />
          </div>
          <p className="settings-meaning">
            Programs send it with each request: <code>Authorization: Bearer …</code>
          </p>
          <div>
            <Button onClick={onClose}>I have copied it</Button>
          </div>
        </div>
      </Modal>
    )
  return (
    <Modal opened onClose={onClose} title="New API key">
      <form className="access-form" onSubmit={submit}>
        <TextInput
          label="Name"
          description="Letters, digits, dots, dashes and underscores"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={64}
          autoComplete="off"
          data-autofocus
        />
        <Checkbox.Group label="It may" value={scopes} onChange={setScopes}>
          <div className="access-scopes">
            {SCOPES.map(([scope, meaning]) => (
              <Checkbox key={scope} value={scope} label={scope} description={meaning} />
            ))}
          </div>
        </Checkbox.Group>
        <NativeSelect
          label="It lasts"
          value={days}
          onChange={(event) => setDays(event.currentTarget.value)}
          data={LIFETIMES}
        />
        {make.error && <ProblemNotice error={make.error} />}
        <div>
          <Button type="submit" disabled={name.trim() === '' || scopes.length === 0} loading={make.isPending}>
            Make the key
          </Button>
        </div>
      </form>
    </Modal>
  )
}
