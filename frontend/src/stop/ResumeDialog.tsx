import { OrderDialog } from './OrderDialog'
import { ResumeForm } from './ResumeForm'

interface Props {
  opened: boolean
  onClose: () => void
}

/** Let agents enter positions again; the word is asked for. */
export function ResumeDialog({ opened, onClose }: Props) {
  return (
    <OrderDialog opened={opened} onClose={onClose} title="Resume trading" asking="Asking what holds …">
      {(standing, onGiven) =>
        standing.order.ordered === 'resume' ? (
          <p>Nothing is stopped.</p>
        ) : (
          <ResumeForm standing={standing} onGiven={onGiven} onCancel={onClose} />
        )
      }
    </OrderDialog>
  )
}
