import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answered, api, type Schema } from '../../../api/client'
import { utcDate } from '../../../format'
import { Age } from '../../../parts/Age'
import { Card } from '../../../parts/Card'
import { DataTable } from '../../../parts/DataTable'
import { ProblemNotice } from '../../../parts/ProblemNotice'
import { NewKeyDialog } from './NewKeyDialog'
import { RevokeDialog } from './RevokeDialog'

type ApiKey = Schema<'ApiKey'>

/** The keys that programs show instead of signing in. */
export function KeysOfPrograms() {
  const [making, setMaking] = useState(false)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const keys = useQuery({
    queryKey: ['settings', 'keys'],
    queryFn: () => answered(api.GET('/api/keys')),
    staleTime: 0,
  })
  return (
    <Card title="API keys" className="wide">
      {keys.error && <ProblemNotice error={keys.error} retry={() => void keys.refetch()} />}
      <DataTable<ApiKey>
        label="API keys"
        rows={keys.data}
        keyOf={(row) => row.id}
        empty="Programs call the interface under /api with a key of their own. There is none yet."
        height={320}
        columns={[
          { id: 'name', title: 'Name', cell: (row) => row.name, by: (row) => row.name },
          { id: 'scopes', title: 'May', cell: (row) => row.scopes.join(', ') },
          {
            id: 'ends',
            title: 'Ends',
            cell: (row) => (row.ends === null ? 'never' : `${row.ended ? '✕ ended ' : ''}${utcDate(row.ends)}`),
            by: (row) => row.ends,
            phone: false,
          },
          {
            id: 'seen',
            title: 'Last used',
            cell: (row) => (row.seen === null ? 'never' : <Age at={row.seen} />),
            by: (row) => row.seen,
            phone: false,
          },
          {
            id: 'revoke',
            title: 'End it',
            cell: (row) => (
              <Button
                variant="default"
                size="compact-sm"
                onClick={() => setRevoking(row)}
                aria-label={`Revoke ${row.name}`}
              >
                Revoke
              </Button>
            ),
          },
        ]}
      />
      <div className="access-foot">
        <Button onClick={() => setMaking(true)}>New key</Button>
      </div>
      {making && <NewKeyDialog onClose={() => setMaking(false)} />}
      {revoking && <RevokeDialog apiKey={revoking} onClose={() => setRevoking(null)} />}
    </Card>
  )
}
