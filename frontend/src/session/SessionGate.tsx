import { type ReactNode, useEffect, useState } from 'react'
import { ProblemError } from '../api/client'
import { SignIn } from '../pages/SignIn'
import { opened, useSession, useSignedOut } from './session'
import { takeToken } from './token'

/**
 * The pages, for who is signed in. A session that ends lays the sign-in over them: what was being written stays.
 */
export function SessionGate({ children }: { children: ReactNode }) {
  const session = useSession()
  const out = useSignedOut()
  const [token, setToken] = useState(opened)
  useEffect(() => {
    // A link that is opened over this page changes nothing but what stands behind the #.
    const look = () => setToken((before) => takeToken() ?? before)
    window.addEventListener('hashchange', look)
    return () => window.removeEventListener('hashchange', look)
  }, [])

  const refused = session.error instanceof ProblemError && session.error.status === 401
  const shut = out || (refused && !session.data)
  // Where the server does not answer, the pages themselves say so.
  const begun = session.data !== undefined || (session.isError && !refused)
  return (
    <>
      {shut && <SignIn token={token} />}
      {begun && (
        <div className="session-gate" hidden={shut} inert={shut}>
          {children}
        </div>
      )}
    </>
  )
}
