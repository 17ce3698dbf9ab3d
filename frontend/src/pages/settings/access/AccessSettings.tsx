import { useReasonAgainst } from '../../../session/rights'
import { useSession } from '../../../session/session'
import { KeysOfPrograms } from './KeysOfPrograms'
import { OwnCard } from './OwnCard'
import { PasswordCard } from './PasswordCard'
import { PeopleCard } from './PeopleCard'
import { SessionsCard } from './SessionsCard'
import './access.css'

/** Who may come in: people, the browsers that are signed in, the password, and the keys that programs show. */
export function AccessSettings() {
  const { data: who } = useSession()
  const reason = useReasonAgainst('admin')
  if (reason !== null)
    return (
      <>
        {who?.role && <PasswordCard />}
        <OwnCard reason={reason} />
      </>
    )
  return (
    <>
      <SessionsCard />
      <PasswordCard />
      <PeopleCard />
      <KeysOfPrograms />
    </>
  )
}
