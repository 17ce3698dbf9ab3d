import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { OctagonX } from 'lucide-react'
import { utc } from '../format'
import type { Status } from '../live/status'
import { ResumeDialog } from '../stop/ResumeDialog'
import { useStanding } from '../stop/useStanding'
import { STANDINGS } from './standings'

/** That trading is stopped or held back: by whom, why, and the way out of it. */
export function Stopped({ standing }: { standing: Exclude<Status['standing'], 'active'> }) {
  const { name, text, grave } = STANDINGS[standing]
  const { data } = useStanding(true)
  const [resuming, { open, close }] = useDisclosure()
  const ordered = data && data.order.ordered !== 'resume' ? data.order : null
  // Positions do not stay after a flattening that the venue has confirmed.
  const flat = standing === 'halted' && data?.answers.flat
  return (
    <div className={`banner ${grave ? 'danger-fill' : 'warn-line'}`} role="alert" data-testid="standing">
      <OctagonX size={16} aria-hidden />
      <strong>{name}</strong>
      <span>
        {flat ? 'Everything was closed, and nothing is entered any more.' : text}{' '}
        {ordered && (
          <bdi>
            Ordered by {ordered.by}
            {ordered.at !== null && `, ${utc(ordered.at)} UTC`}
            {ordered.why && `: ${ordered.why}`}.
          </bdi>
        )}
      </span>
      {ordered && (
        <Button size="compact-sm" variant="default" onClick={open}>
          Resume …
        </Button>
      )}
      <ResumeDialog opened={resuming} onClose={close} />
    </div>
  )
}
