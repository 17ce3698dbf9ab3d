import { Button, Modal, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Fleet } from '../../live/fleet'
import { useStatusOf } from '../../live/status'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { consequencesOf, deed, inWords } from './pausing'
import { usePause } from './usePause'

/** What pausing some agents, or unpausing them, would do now; a reason; and the order itself. Who opens it gives the focus back. */
export function PauseDialog({
  fleet,
  ids,
  pause,
  onClose,
}: {
  fleet: Fleet
  ids: Iterable<string>
  pause: boolean
  onClose: () => void
}) {
  const currency = useStatusOf((status) => status.currency, '')
  const idle = useStatusOf((status) => status.phase === 'stopped' || status.phase === 'ended', false)
  const [why, setWhy] = useState('')
  const order = usePause(onClose)
  // As it was when it was opened: what is read does not change under the eye.
  const [found] = useState(() => consequencesOf(fleet, ids, pause))
  const many = found.concerned.length
  const title = many > 0 ? deed(found.concerned, pause) : pause ? 'Nobody to pause' : 'Nobody to unpause'
  return (
    <Modal opened onClose={onClose} title={title} size={520} returnFocus={false} transitionProps={{ duration: 0 }}>
      <div className="fleet-pause">
        <ul className="fleet-pause-consequences">
          {inWords(found, pause, currency === 'quote' ? '' : currency).map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        {idle && many > 0 && (
          <p>
            No process trades this run now. The order is kept: it holds when the run goes on, and for the same
            strategies in the next.
          </p>
        )}
        {many > 0 && (
          <TextInput
            label="Why (kept with the order)"
            value={why}
            onChange={(event) => setWhy(event.currentTarget.value)}
            maxLength={500}
            autoComplete="off"
            data-autofocus
          />
        )}
        {order.error && <ProblemNotice error={order.error} />}
        <div className="fleet-pause-buttons">
          <Button variant="default" onClick={onClose}>
            {many > 0 ? 'Cancel' : 'Close'}
          </Button>
          {many > 0 && (
            <Button
              disabled={order.isPending}
              onClick={() => order.mutate({ run: fleet.run, agents: found.concerned, pause, why })}
            >
              {order.isPending ? 'Ordering …' : title}
            </Button>
          )}
        </div>
      </div>
    </Modal>
  )
}
