import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { answered, api, ProblemError, queries } from '../../api/client'
import { counted, sentence } from '../../format'
import { orderedIn, type PauseAnswer } from './pausing'

export interface PauseOrder {
  run: string | null
  agents: readonly string[]
  pause: boolean
  why: string
}

/** How long the way back is offered, milliseconds. */
const OFFERED = 15_000

/** Order agents to be paused or unpaused; what was ordered is said, with the way back. */
export const usePause = (onOrdered: () => void) =>
  useMutation({
    mutationFn: give,
    onSuccess: (answer) => {
      onOrdered()
      tell(answer)
    },
  })

async function give({ run, agents, pause, why }: PauseOrder): Promise<PauseAnswer> {
  const body = { run, agents: [...agents], why }
  const answer = await answered(
    pause ? api.POST('/api/agents/pause', { body }) : api.POST('/api/agents/unpause', { body }),
  )
  for (const word of ['runs', 'standing', 'audit']) void queries.invalidateQueries({ queryKey: [word] })
  return answer
}

function tell(answer: PauseAnswer): void {
  const agents = orderedIn(answer)
  const deed = answer.paused ? 'paused' : 'unpaused'
  const who = agents.length === 1 ? agents[0] : counted(agents.length, 'agent')
  const id = notifications.show({
    autoClose: OFFERED,
    closeButtonProps: { 'aria-label': 'Close' },
    title: agents.length ? `Ordered: ${who} ${deed}` : 'Nothing was ordered',
    message: (
      <>
        {sentence(answer.text)}.{' '}
        {agents.length > 0 && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              notifications.hide(id)
              void undo({ run: answer.run, agents, pause: !answer.paused, why: 'undone' })
            }}
          >
            Undo
          </Button>
        )}
      </>
    ),
  })
}

async function undo(order: PauseOrder): Promise<void> {
  try {
    const answer = await give(order)
    notifications.show({ title: 'Undone', message: `${sentence(answer.text)}.` })
  } catch (error) {
    const what = error instanceof ProblemError ? error.problem.what : String(error)
    notifications.show({ title: 'It was not undone', message: `${sentence(what)}.`, color: 'danger', autoClose: false })
  }
}
