import { Modal } from '@mantine/core'

/** The three levels of stopping. */
export function StopDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Stop trading">
      {null}
    </Modal>
  )
}
