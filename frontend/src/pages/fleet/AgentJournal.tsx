import { Button } from '@mantine/core'
import { useState } from 'react'
import type { Schema } from '../../api/client'
import { count } from '../../format'
import { Card } from '../../parts/Card'
import { FeedLines } from '../../parts/FeedLines'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { useAgentJournal } from './agentData'

/** Everything that the journal says of it, newest first. */
export function AgentJournal({ agent }: { agent: Schema<'AgentDetail'> }) {
  const [from, setFrom] = useState<(number | null)[]>([null])
  const { data, error, refetch, isFetching } = useAgentJournal(agent.summary.id, from.at(-1) ?? null)
  if (error && !data) return <ProblemNotice error={error} retry={() => void refetch()} />
  const older = data?.before ?? null
  return (
    <Card
      title={data ? `${count(data.total)} entries` : 'Entries'}
      aside={
        <span className="agent-pages">
          <Button
            size="compact-sm"
            variant="default"
            disabled={from.length < 2 || isFetching}
            onClick={() => setFrom(from.slice(0, -1))}
          >
            Newer
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            disabled={older === null || isFetching}
            onClick={() => setFrom([...from, older])}
          >
            Older
          </Button>
        </span>
      }
    >
      <FeedLines
        lines={data?.lines ?? []}
        label="The journal of the agent"
        empty={data ? 'Nothing yet.' : 'Loading …'}
      />
    </Card>
  )
}
