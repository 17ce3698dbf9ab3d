import { Button, Modal } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { Schema } from '../api/client'
import { ProblemNotice } from '../parts/ProblemNotice'
import { focused } from './focused'
import { OrderProgress } from './OrderProgress'
import { ResumeForm } from './ResumeForm'
import { StopForm } from './StopForm'
import { useFocusBack } from './useFocusBack'
import { useStanding } from './useStanding'
import './stop.css'

interface Props {
  opened: boolean
  onClose: () => void
}

/** Stop everything that trades from this home: three levels, what each would do, and what came of it. */
export function StopDialog({ opened, onClose }: Props) {
  useFocusBack(opened)
  const { data, error, refetch } = useStanding(opened)
  const [given, setGiven] = useState<Schema<'OrderAnswers'> | null>(null)
  const [resuming, setResuming] = useState(false)
  useEffect(() => {
    if (opened) return
    setGiven(null)
    setResuming(false)
  }, [opened])
  const stopped = data && data.order.ordered !== 'resume'
  const title = given?.order.ordered === 'resume' || resuming ? 'Resume trading' : 'Stop trading'
  return (
    <Modal opened={opened} onClose={onClose} returnFocus={false} title={title} size={560} className="stop-dialog">
      <div className="stop-body">
        {given ? (
          <>
            <OrderProgress key={given.order.number} given={given} />
            <div className="stop-buttons">
              <Button ref={focused} onClick={onClose}>
                Close
              </Button>
            </div>
          </>
        ) : resuming && data ? (
          <ResumeForm standing={data} onGiven={setGiven} onCancel={() => setResuming(false)} />
        ) : (
          <>
            {stopped && (
              <div className="stop-holds">
                <span>Holds now: {data.order.text}.</span>
                <Button size="compact-sm" variant="default" onClick={() => setResuming(true)}>
                  Resume …
                </Button>
              </div>
            )}
            {data ? (
              <StopForm standing={data} onGiven={setGiven} onCancel={onClose} />
            ) : error ? (
              <ProblemNotice error={error} retry={() => void refetch()} />
            ) : (
              <p className="muted">Counting what is open …</p>
            )}
          </>
        )}
      </div>
    </Modal>
  )
}
