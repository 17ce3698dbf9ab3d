import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery } from '@tanstack/react-query'
import { answered, api, queries, type Schema } from '../../../api/client'
import { Age } from '../../../parts/Age'
import { Card } from '../../../parts/Card'
import { DataTable } from '../../../parts/DataTable'
import { ProblemNotice } from '../../../parts/ProblemNotice'
import { signOut, useSession } from '../../../session/session'
import { program } from './program'

type Session = Schema<'OpenSession'>

/** The browsers that are signed in; each can be signed out from here. */
export function SessionsCard() {
  const sessions = useQuery({
    queryKey: ['settings', 'sessions'],
    queryFn: () => answered(api.GET('/api/sessions')),
    staleTime: 0,
  })
  const end = useMutation({
    mutationFn: (id: string) => answered(api.DELETE('/api/sessions/{id}', { params: { path: { id } } })),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['settings', 'sessions'] }),
    onSuccess: () => notifications.show({ title: 'Signed out', message: 'That browser has to sign in again.' }),
  })
  const mine = useSession().data?.owner
  const leave = useMutation({ mutationFn: signOut })
  const failed = end.error ?? leave.error
  return (
    <Card title="Sessions">
      {sessions.error && <ProblemNotice error={sessions.error} retry={() => void sessions.refetch()} />}
      {failed && <ProblemNotice error={failed} />}
      <DataTable<Session>
        label="Sessions"
        rows={sessions.data}
        keyOf={(row) => row.id}
        empty="No browser is signed in."
        height={320}
        columns={[
          {
            id: 'program',
            title: 'Browser',
            cell: (row) => (
              <>
                <span className="access-program" title={row.program}>
                  {program(row.program)}
                </span>
                <div className="settings-meaning">
                  {row.name}, by {row.means === 'link' ? 'a link' : 'a password'}
                  {row.own && ' · this one'}
                </div>
              </>
            ),
          },
          { id: 'address', title: 'From', cell: (row) => <code>{row.address}</code>, phone: false },
          { id: 'seen', title: 'Last used', cell: (row) => <Age at={row.seen} />, by: (row) => row.seen },
          {
            id: 'end',
            title: 'End it',
            cell: (row) => (
              <Button
                variant="default"
                size="compact-sm"
                disabled={row.owner && !mine}
                title={row.owner && !mine ? 'Nobody but the owner ends it' : undefined}
                loading={row.own ? leave.isPending : end.isPending && end.variables === row.id}
                onClick={() => (row.own ? leave.mutate() : end.mutate(row.id))}
                aria-label={row.own ? 'Sign out here' : `Sign out ${program(row.program)} from ${row.address}`}
              >
                Sign out
              </Button>
            ),
          },
        ]}
      />
    </Card>
  )
}
