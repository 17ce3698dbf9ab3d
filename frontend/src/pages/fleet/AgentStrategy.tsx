import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { GitBranch } from 'lucide-react'
import { Link } from 'react-router'
import { answered, api, type Schema } from '../../api/client'
import { Card } from '../../parts/Card'
import { CopyButton } from '../../parts/CopyButton'

/** What it trades by: in words first, then as the file. */
export function AgentStrategy({ agent }: { agent: Schema<'AgentDetail'> }) {
  const { name, text, explanation, unreadable, content_hash } = agent.strategy
  // Its place in Build, where it is one of the library or a saved one.
  const { data: known } = useQuery({
    queryKey: ['strategies'],
    queryFn: () => answered(api.GET('/api/strategies')),
  })
  const saved = known?.find((each) => each.content_hash === content_hash)
  return (
    <div className="agent-parts">
      <Card
        title="In plain English"
        aside={
          text && (
            <Button
              component={Link}
              to={saved ? `/build/${encodeURIComponent(saved.name)}` : '/build'}
              state={saved ? undefined : { text, name }}
              size="compact-sm"
              variant="default"
              leftSection={<GitBranch size={14} />}
            >
              Open in Build
            </Button>
          )
        }
      >
        {explanation ? (
          <div className="agent-explained">{explanation}</div>
        ) : (
          <p className="muted">
            This version cannot read its strategy{unreadable && `: ${unreadable}`}. The agent goes on as it was.
          </p>
        )}
      </Card>
      {text && (
        <Card title="As a file" aside={<CopyButton text={text} label="Copy the file" />}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls has to be reached by keyboard */}
          <pre className="agent-file" tabIndex={0}>
            {text}
          </pre>
        </Card>
      )}
    </div>
  )
}
