import { Button, Modal } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answered, api, queries, type Schema } from '../../api/client'
import { Card } from '../../parts/Card'
import { DataTable } from '../../parts/DataTable'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { RightButton } from '../../parts/RightButton'

type Position = Schema<'UnattributedPosition'>

/** What no agent has done, and nobody has decided on; nothing where there is none. */
export function Unattributed() {
  const { data } = useQuery({
    queryKey: ['standing', 'unattributed'],
    queryFn: () => answered(api.GET('/api/positions/unattributed')),
    refetchInterval: 10_000,
  })
  const [chosen, setChosen] = useState<Position | null>(null)
  const adopt = useMutation({
    mutationFn: ({ account, symbol }: Position) =>
      answered(
        api.POST('/api/positions/unattributed/{account}/adopt', { params: { path: { account } }, body: { symbol } }),
      ),
    onSuccess: ({ symbol }) => {
      void queries.invalidateQueries({ queryKey: ['standing'] })
      notifications.show({
        title: `${symbol} is yours`,
        message: 'Agents may enter beside it. Recorded in the audit log.',
      })
      setChosen(null)
    },
  })
  if (!data?.length) return null
  return (
    <Card title="Not done by any agent">
      <p className="muted">
        Nobody enters these instruments before you have decided. Nothing is ever closed that no agent opened.
      </p>
      <DataTable
        label="Positions that no agent has made"
        rows={data}
        keyOf={(row) => `${row.account} ${row.symbol}`}
        empty=""
        columns={[
          { id: 'symbol', title: 'Instrument', cell: (row) => row.symbol },
          { id: 'size', title: 'Size', cell: (row) => row.size, numeric: true },
          { id: 'account', title: 'Account', cell: (row) => row.account },
          {
            id: 'decide',
            title: 'Decide',
            cell: (row) =>
              row.decided ? (
                '✓ decided; the account takes it in'
              ) : (
                <RightButton right="decide" size="compact-sm" variant="default" onClick={() => setChosen(row)}>
                  It is mine …
                </RightButton>
              ),
          },
        ]}
      />
      <Modal opened={chosen !== null} onClose={() => setChosen(null)} title={`${chosen?.symbol} is yours?`}>
        <p>
          {chosen?.size} {chosen?.symbol} of account {chosen?.account} stays where it is, and agents may enter beside
          it.
        </p>
        {adopt.error && <ProblemNotice error={adopt.error} />}
        <div className="settings-buttons">
          <Button variant="default" onClick={() => setChosen(null)}>
            Cancel
          </Button>
          <Button disabled={adopt.isPending} onClick={() => chosen && adopt.mutate(chosen)}>
            It is mine
          </Button>
        </div>
      </Modal>
    </Card>
  )
}
