import { useDisclosure } from '@mantine/hooks'
import { OctagonX } from 'lucide-react'
import { sentence, utc } from '../format'
import type { Status } from '../live/status'
import { RightButton } from '../parts/RightButton'
import { ResumeDialog } from '../stop/ResumeDialog'
import { useStanding } from '../stop/useStanding'
import { STANDINGS } from './standings'

/** That trading is stopped or held back: by whom, why, and the way out of it. */
export function Stopped({ standing }: { standing: Status['standing'] }) {
  const { data } = useStanding(standing !== 'active')
  const [resuming, { open, close }] = useDisclosure()
  const held = standing === 'active' ? null : STANDINGS[standing]
  const ordered = data && data.order.ordered !== 'resume' ? data.order : null
  // Positions do not stay after a flattening; how far it has come is said by who has heard from the runs.
  const flattened = standing === 'halted' && data?.order.ordered === 'flatten'
  return (
    <>
      {held && (
        <div className={`banner ${held.grave ? 'danger-fill' : 'warn-line'}`} role="alert" data-testid="standing">
          <OctagonX size={16} aria-hidden />
          <strong>{held.name}</strong>
          <span>
            {flattened ? `Nothing is entered any more. ${sentence(data.answers.text)}.` : held.text}{' '}
            {ordered && (
              <bdi>
                Ordered by {ordered.by}
                {ordered.at !== null && `, ${utc(ordered.at)} UTC`}
                {ordered.why && `: ${ordered.why}`}.
              </bdi>
            )}
          </span>
          {ordered && (
            <RightButton right="decide" size="compact-sm" variant="default" onClick={open}>
              Resume …
            </RightButton>
          )}
        </div>
      )}
      {/* It says what came of the order after the banner is gone. */}
      <ResumeDialog opened={resuming} onClose={close} />
    </>
  )
}
