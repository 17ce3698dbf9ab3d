import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { CopyButton } from '../parts/CopyButton'
import { ProblemNotice } from '../parts/ProblemNotice'
import { signIn } from '../session/session'
import './sign-in.css'

const COMMAND = 'clawd web link'

/** Who is not signed in sees this and nothing else. A link that was opened signs in by itself. */
export function SignIn({ token }: { token: string | null }) {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const tried = useRef<string | null>(null)
  const entry = useMutation({ mutationFn: signIn })
  const { mutate } = entry

  useEffect(() => {
    document.title = 'Sign in · clawd'
  }, [])
  useEffect(() => {
    if (token === null || tried.current === token) return
    tried.current = token
    mutate({ token })
  }, [token, mutate])

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (password) mutate({ name, password })
  }
  const byLink = entry.variables !== undefined && 'token' in entry.variables
  if (byLink && (entry.isPending || entry.isSuccess))
    return (
      <main className="sign-in">
        <p role="status">Signing in …</p>
      </main>
    )
  return (
    <main className="sign-in">
      <h1>Sign in to clawd</h1>
      {entry.isError && <ProblemNotice error={entry.error} />}
      <section className="card">
        <h2>With a link</h2>
        <p>
          Open the link that <code>clawd up</code> printed when it started. A link works once, for ten minutes. For
          another one, type this where clawd runs and open what it prints:
        </p>
        <div className="sign-in-command">
          <code>{COMMAND}</code>
          <CopyButton text={COMMAND} label="Copy the command" />
        </div>
      </section>
      <form className="card" onSubmit={submit}>
        <h2>With a password</h2>
        <p>
          If one was set: <code>clawd web password</code> sets the owner’s, <code>clawd web people password NAME</code>{' '}
          anybody else’s.
        </p>
        <TextInput
          label="Name"
          description="Empty for the owner"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          mb={8}
        />
        <PasswordInput
          label="Password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="current-password"
          maxLength={1000}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
        />
        <Button type="submit" mt={12} disabled={!password} loading={entry.isPending}>
          Sign in
        </Button>
      </form>
    </main>
  )
}
