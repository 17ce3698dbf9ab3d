import { Button, PasswordInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api, queries } from '../../../api/client'
import { counted } from '../../../format'
import { Card } from '../../../parts/Card'
import { ProblemNotice } from '../../../parts/ProblemNotice'
import { useSession } from '../../../session/session'

const SHORTEST = 12
const EYE = { 'aria-label': 'Show the password' }

/** One's own password, with which a browser signs in without a link; the owner's is needed to serve more than this machine. */
export function PasswordCard() {
  const { data: who } = useSession()
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const set = useMutation({
    mutationFn: () =>
      answered(api.PUT('/api/password', { body: { password, current: who?.has_password ? current : null } })),
    onSuccess: ({ sessions_ended: ended }) => {
      setCurrent('')
      setPassword('')
      setAgain('')
      const others = ended > 0 ? `${counted(ended, 'other session has', 'other sessions have')} ended.` : ''
      notifications.show({ title: 'The password is set', message: others || 'No other browser was signed in.' })
      void queries.invalidateQueries({ queryKey: ['session'] })
      void queries.invalidateQueries({ queryKey: ['settings', 'sessions'] })
    },
  })
  const short = password.length > 0 && password.length < SHORTEST
  const differs = again.length > 0 && again !== password
  const ready = password.length >= SHORTEST && again === password && (!who?.has_password || current.length > 0)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ready) set.mutate()
  }
  return (
    <Card title="Password">
      <form className="access-form" onSubmit={submit}>
        <p>
          {who?.has_password
            ? 'A password is set: a browser can sign in with it, or with a link.'
            : `No password is set: a browser signs in with a link alone${who?.owner ? ', and only this machine can be served' : ''}.`}
        </p>
        <input type="text" autoComplete="username" value={who?.owner ? 'clawd' : (who?.name ?? '')} readOnly hidden />
        {who?.has_password && (
          <PasswordInput
            label="Current password"
            value={current}
            onChange={(event) => setCurrent(event.currentTarget.value)}
            autoComplete="current-password"
            visibilityToggleButtonProps={EYE}
          />
        )}
        <PasswordInput
          label="New password"
          description={`At least ${SHORTEST} characters; a few words in a row are easy to remember.`}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          error={short && `${password.length} of at least ${SHORTEST} characters`}
          autoComplete="new-password"
          maxLength={1000}
          visibilityToggleButtonProps={EYE}
        />
        <PasswordInput
          label="Once more"
          value={again}
          onChange={(event) => setAgain(event.currentTarget.value)}
          error={differs && 'The two differ'}
          autoComplete="new-password"
          maxLength={1000}
          visibilityToggleButtonProps={EYE}
        />
        {set.error && <ProblemNotice error={set.error} />}
        <p className="settings-meaning">
          Setting it signs out every other browser of yours. It is stored as an argon2id hash.
        </p>
        <div>
          <Button type="submit" disabled={!ready} loading={set.isPending}>
            {who?.has_password ? 'Change the password' : 'Set the password'}
          </Button>
        </div>
      </form>
    </Card>
  )
}
