import { Button } from '@mantine/core'
import { useEffect, useState } from 'react'
import { OrderDialog } from './OrderDialog'
import { ResumeForm } from './ResumeForm'
import { StopForm } from './StopForm'

interface Props {
  opened: boolean
  onClose: () => void
}

/** Stop everything that trades from this home: three levels, what each would do, and what came of it. */
export function StopDialog({ opened, onClose }: Props) {
  const [resuming, setResuming] = useState(false)
  useEffect(() => {
    if (!opened) setResuming(false)
  }, [opened])
  return (
    <OrderDialog
      opened={opened}
      onClose={onClose}
      title={resuming ? 'Resume trading' : 'Stop trading'}
      asking="Counting what is open …"
    >
      {(standing, onGiven) =>
        resuming ? (
          <ResumeForm standing={standing} onGiven={onGiven} onCancel={() => setResuming(false)} />
        ) : (
          <>
            {standing.order.ordered !== 'resume' && (
              <div className="stop-holds">
                <span>Holds now: {standing.order.text}.</span>
                <Button size="compact-sm" variant="default" onClick={() => setResuming(true)}>
                  Resume …
                </Button>
              </div>
            )}
            <StopForm standing={standing} onGiven={onGiven} onCancel={onClose} />
          </>
        )
      }
    </OrderDialog>
  )
}
