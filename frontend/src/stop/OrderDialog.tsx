import { Button, Modal } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import type { Schema } from '../api/client'
import { ProblemNotice } from '../parts/ProblemNotice'
import { focused } from './focused'
import { OrderProgress } from './OrderProgress'
import { useFocusBack } from './useFocusBack'
import { useStanding } from './useStanding'
import './stop.css'

interface Props {
  opened: boolean
  onClose: () => void
  title: string
  /** What is said until it is known what holds. */
  asking: string
  /** By which the order is given, and what it tells when that is done. */
  children: (standing: Schema<'Standing'>, onGiven: (answers: Schema<'OrderAnswers'>) => void) => ReactNode
}

/** A dialog that gives an order to everything that trades from this home: what holds, then what came of the order. */
export function OrderDialog({ opened, onClose, title, asking, children }: Props) {
  useFocusBack(opened)
  const { data, error, refetch } = useStanding(opened)
  const [given, setGiven] = useState<Schema<'OrderAnswers'> | null>(null)
  useEffect(() => {
    if (!opened) setGiven(null)
  }, [opened])
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
        ) : data ? (
          children(data, setGiven)
        ) : error ? (
          <ProblemNotice error={error} retry={() => void refetch()} />
        ) : (
          <p className="muted">{asking}</p>
        )}
      </div>
    </Modal>
  )
}
