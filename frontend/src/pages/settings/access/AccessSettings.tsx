import { KeysOfPrograms } from './KeysOfPrograms'
import { PasswordCard } from './PasswordCard'
import { SessionsCard } from './SessionsCard'
import './access.css'

/** Who may come in: the browsers that are signed in, the password, and the keys that programs show. */
export function AccessSettings() {
  return (
    <>
      <SessionsCard />
      <PasswordCard />
      <KeysOfPrograms />
    </>
  )
}
