import { Button, Modal } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { Schema } from '../api/client'
import { ProblemNotice } from '../parts/ProblemNotice'
import { focused } from './focused'
import { OrderProgress } from './OrderProgress'
import { ResumeForm } from './ResumeForm'
import { useFocusBack } from './useFocusBack'
import { useStanding } from './useStanding'
import './stop.css'

interface Props {
  opened: boolean
  onClose: () => void
}

/** Let agents enter positions again; the word is asked for. */
export function ResumeDialog({ opened, onClose }: Props) {
  useFocusBack(opened)
  const { data, error, refetch } = useStanding(opened)
  const [given, setGiven] = useState<Schema<'OrderAnswers'> | null>(null)
  useEffect(() => {
    if (!opened) setGiven(null)
  }, [opened])
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      returnFocus={false}
      title="Resume trading"
      size={560}
      className="stop-dialog"
    >
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
        ) : data?.order.ordered === 'resume' ? (
          <p>Nothing is stopped.</p>
        ) : data ? (
          <ResumeForm standing={data} onGiven={setGiven} onCancel={onClose} />
        ) : error ? (
          <ProblemNotice error={error} retry={() => void refetch()} />
        ) : (
          <p className="muted">Asking what holds …</p>
        )}
      </div>
    </Modal>
  )
}
