import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answered, api } from '../../../api/client'
import { Age } from '../../../parts/Age'
import { Card } from '../../../parts/Card'
import { DataTable } from '../../../parts/DataTable'
import { ProblemNotice } from '../../../parts/ProblemNotice'
import { LinkDialog } from './LinkDialog'
import { NewPersonDialog } from './NewPersonDialog'
import type { Person } from './people'
import { RemovePersonDialog } from './RemovePersonDialog'
import { RoleDialog } from './RoleDialog'

interface Asked {
  deed: 'role' | 'link' | 'remove'
  person: Person
}

/** Who may come in beside the owner, and what each of them may do. */
export function PeopleCard() {
  const [adding, setAdding] = useState(false)
  const [asked, setAsked] = useState<Asked | null>(null)
  const people = useQuery({
    queryKey: ['settings', 'people'],
    queryFn: () => answered(api.GET('/api/people')),
    staleTime: 0,
  })
  const close = () => setAsked(null)
  const roles = people.data?.roles ?? []
  return (
    <Card title="People" className="wide">
      {people.error && <ProblemNotice error={people.error} retry={() => void people.refetch()} />}
      <p className="settings-meaning">
        The owner, <bdi>{people.data?.owner ?? '—'}</bdi>, who runs clawd's commands, may do everything and is not in
        the list.
      </p>
      <DataTable<Person>
        label="People"
        rows={people.data?.people}
        keyOf={(row) => row.id}
        empty="Nobody else may come in yet. Add somebody, with the role that he needs, and send him a link."
        height={320}
        columns={[
          {
            id: 'name',
            title: 'Name',
            cell: (row) => (
              <>
                <bdi>{row.name}</bdi>
                <div className="settings-meaning">
                  <span className="access-phone-role">{row.role} · </span>
                  {row.has_password ? 'by a link or a password' : 'by a link'}
                  {row.own && ' · you'}
                </div>
              </>
            ),
            by: (row) => row.name,
          },
          {
            id: 'role',
            title: 'Role',
            cell: (row) => <span title={row.scopes.join(', ')}>{row.role ?? row.scopes.join(', ')}</span>,
            by: (row) => row.role,
            phone: false,
          },
          {
            id: 'seen',
            title: 'Last here',
            cell: (row) => (row.seen === null ? 'never' : <Age at={row.seen} />),
            by: (row) => row.seen,
            phone: false,
          },
          {
            id: 'sessions',
            title: 'Sessions',
            cell: (row) => row.sessions,
            by: (row) => row.sessions,
            numeric: true,
            phone: false,
          },
          {
            id: 'change',
            title: 'Change',
            cell: (row) =>
              row.changeable ? (
                <span className="access-deeds">
                  {(['role', 'link', 'remove'] as const).map((deed) => (
                    <Button
                      key={deed}
                      variant="default"
                      size="compact-sm"
                      onClick={() => setAsked({ deed, person: row })}
                      aria-label={`${LABELS[deed]} ${row.name}`}
                    >
                      {DEEDS[deed]}
                    </Button>
                  ))}
                </span>
              ) : (
                <span className="settings-meaning">He may do more than you.</span>
              ),
          },
        ]}
      />
      <div className="access-foot">
        <Button onClick={() => setAdding(true)} disabled={!people.data}>
          Add a person
        </Button>
      </div>
      {adding && <NewPersonDialog roles={roles} onClose={() => setAdding(false)} />}
      {asked?.deed === 'role' && <RoleDialog person={asked.person} roles={roles} onClose={close} />}
      {asked?.deed === 'link' && <LinkDialog person={asked.person} onClose={close} />}
      {asked?.deed === 'remove' && <RemovePersonDialog person={asked.person} onClose={close} />}
    </Card>
  )
}

const DEEDS = { role: 'Role …', link: 'Link …', remove: 'Remove …' } as const
const LABELS = { role: 'Role of', link: 'Link for', remove: 'Remove' } as const
