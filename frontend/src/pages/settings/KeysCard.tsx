import { useQuery } from '@tanstack/react-query'
import { answered, api } from '../../api/client'
import { Card } from '../../parts/Card'
import { CopyButton } from '../../parts/CopyButton'
import { DataTable } from '../../parts/DataTable'
import { ProblemNotice } from '../../parts/ProblemNotice'

/** Which venues there are, and whose keys may approve orders. */
export function KeysCard() {
  const { data, error, refetch } = useQuery({
    queryKey: ['approvals', 'keys'],
    queryFn: () => answered(api.GET('/api/approvers')),
    staleTime: 0,
  })
  return (
    <Card title="Venues and keys">
      <p>
        <strong>Paper.</strong> There is no gateway to real money in this version, so there is no venue's key to keep:
        fleets trade on paper, and accounts on a simulated exchange.
      </p>
      <h3 className="settings-sub">Keys of approvers</h3>
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      <DataTable
        label="Keys of approvers"
        rows={data}
        keyOf={(row) => row.fingerprint}
        empty={
          <>
            No key yet. Private keys are made and trusted in a terminal, never here: <code>clawd keys trust NAME</code>{' '}
            lets one approve, and this makes one: <code>clawd keys new NAME</code>{' '}
            <CopyButton text="clawd keys new NAME" />
          </>
        }
        columns={[
          { id: 'name', title: 'Key', cell: (row) => row.name, by: (row) => row.name },
          {
            id: 'print',
            title: 'Fingerprint',
            cell: (row) => (
              <code title={row.fingerprint}>{row.fingerprint.slice(0, 16).replace(/(.{8})(?=.)/g, '$1 ')}</code>
            ),
          },
          { id: 'trusted', title: 'May approve', cell: (row) => (row.trusted ? '✓ yes' : '✕ no') },
          {
            id: 'here',
            title: 'Signs here',
            cell: (row) => (row.private_key_here ? '✓ yes' : '✕ its private key lies elsewhere'),
            phone: false,
          },
        ]}
      />
    </Card>
  )
}
