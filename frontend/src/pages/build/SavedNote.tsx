import { Button } from '@mantine/core'
import { useEffect, useState } from 'react'
import { age } from '../../format'
import type { Session, SessionState } from './session'

/** Whether the work is safe, and where. */
export function SavedNote({ session, state }: { session: Session; state: SessionState }) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  if (state.saving === 'conflict')
    return (
      <span className="build-conflict" role="alert">
        <span className="danger">Not saved: {state.problem?.what}.</span>{' '}
        {state.problem?.hint && `(${state.problem.hint}.)`}{' '}
        <Button size="compact-xs" variant="default" onClick={() => window.location.reload()}>
          Load theirs
        </Button>{' '}
        <Button size="compact-xs" variant="default" onClick={() => void session.saveCopy()}>
          Save mine as a copy
        </Button>
      </span>
    )
  return (
    <span className="build-saved" role="status">
      {words(state, now)}
    </span>
  )
}

function words(state: SessionState, now: number): string {
  switch (state.saving) {
    case 'saving':
    case 'waiting':
      return 'Saving …'
    case 'unreachable':
      return 'Kept in this browser: the server cannot be reached'
    case 'refused':
      return `Not saved: ${state.problem?.what ?? 'refused'}. Kept in this browser`
    default:
      if (!state.own) return 'Starter library: your first change is saved as your own'
      return state.savedAt === null ? 'Saved' : `Saved ${age(Math.max(0, now - state.savedAt))} ago`
  }
}
