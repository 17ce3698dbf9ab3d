import { Drawer } from '@mantine/core'

/** One agent. */
export default function AgentDrawer({ id, onClose }: { id: string; onClose: () => void; stale: boolean }) {
  return (
    <Drawer
      opened
      onClose={onClose}
      title={id}
      position="right"
      size={760}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {null}
    </Drawer>
  )
}
