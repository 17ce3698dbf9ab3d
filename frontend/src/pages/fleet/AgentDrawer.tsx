import './agent.css'
import { Drawer, Skeleton, Tabs } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { Schema } from '../../api/client'
import { useFleet } from '../../live/status'
import { AgentState } from '../../parts/AgentState'
import { Guard } from '../../parts/Guard'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { useFocusBack } from '../../stop/useFocusBack'
import { AgentEvidence } from './AgentEvidence'
import { AgentFigures } from './AgentFigures'
import { AgentJournal } from './AgentJournal'
import { AgentNow } from './AgentNow'
import { AgentPause } from './AgentPause'
import { AgentStrategy } from './AgentStrategy'
import { AgentTrades } from './AgentTrades'
import { useAgent } from './agentData'
import { PauseDialog } from './PauseDialog'
import { stateOf } from './pausing'

type Agent = Schema<'AgentDetail'>

const PARTS: readonly { id: string; name: string; Part: (props: { agent: Agent }) => ReactNode }[] = [
  { id: 'now', name: 'Now', Part: AgentNow },
  { id: 'trades', name: 'Trades', Part: AgentTrades },
  { id: 'evidence', name: 'Evidence', Part: AgentEvidence },
  { id: 'strategy', name: 'Strategy', Part: AgentStrategy },
  { id: 'journal', name: 'Journal', Part: AgentJournal },
]

/** One agent: what it holds, what it did and why, and whether that is proof of anything. */
export default function AgentDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { data: agent, error, refetch } = useAgent(id)
  const [part, setPart] = useState<string | null>('now')
  const fleet = useFleet()
  const state = stateOf(fleet, id) ?? agent?.state
  const [asked, ask] = useState<boolean | null>(null)
  useFocusBack(asked !== null)
  return (
    <Drawer
      opened
      onClose={onClose}
      closeOnEscape={asked === null}
      position="right"
      size={880}
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ 'aria-label': 'Close' }}
      title={
        <span className="agent-title">
          <b>
            <bdi>{id}</bdi>
          </b>
          {agent && (
            <>
              <span className="agent-name">
                <bdi title={agent.summary.name}>{agent.summary.name}</bdi>
              </span>
              {state && <AgentState state={state} />}
            </>
          )}
        </span>
      }
    >
      {error && !agent ? (
        <ProblemNotice error={error} retry={() => void refetch()} />
      ) : !agent ? (
        <div aria-busy>
          <Skeleton height={64} mb={12} />
          <Skeleton height={280} />
        </div>
      ) : (
        <div className="agent">
          <AgentPause agent={agent} state={state ?? agent.state} onAsk={ask} />
          <AgentFigures agent={agent} />
          <Tabs value={part} onChange={setPart} keepMounted={false}>
            <Tabs.List>
              {PARTS.map(({ id: value, name }) => (
                <Tabs.Tab key={value} value={value}>
                  {name}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {PARTS.map(({ id: value, Part }) => (
              <Tabs.Panel key={value} value={value} pt={12}>
                <Guard place={`${id} ${value}`}>
                  <Part agent={agent} />
                </Guard>
              </Tabs.Panel>
            ))}
          </Tabs>
        </div>
      )}
      {asked !== null && <PauseDialog fleet={fleet} ids={[id]} pause={asked} onClose={() => ask(null)} />}
    </Drawer>
  )
}
