import { Button, Group, List, Modal } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { answered, api } from '../../api/client'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { Words } from '../../parts/Words'

interface Props {
  name: string
  title: string
  isOpen: boolean
  onClose: () => void
}

/** What deploying to paper really means, before it is done. */
export function DeployDialog({ name, title, isOpen, onClose }: Props) {
  const queries = useQueryClient()
  const path = { params: { path: { name } } }
  const meaning = useQuery({
    queryKey: ['strategies', name, 'deployment'],
    queryFn: () => answered(api.GET('/api/strategies/{name}/deployment', path)),
    enabled: isOpen,
    gcTime: 0,
    staleTime: 0,
  })
  const deploy = useMutation({
    mutationFn: (content_hash: string) =>
      answered(api.POST('/api/strategies/{name}/deploy', { ...path, body: { content_hash } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['strategies'] }),
  })
  const close = () => {
    deploy.reset()
    onClose()
  }
  const done = deploy.data
  return (
    <Modal opened={isOpen} onClose={close} title={`Deploy “${title}” to paper`} size="lg">
      {meaning.isPending && <p className="muted">Asking what it would mean …</p>}
      {meaning.isError && <ProblemNotice error={meaning.error} retry={() => void meaning.refetch()} />}
      {meaning.data && !done && (
        <>
          {meaning.data.listed ? (
            <p>The fleet's list already has this very strategy. Every run tries it.</p>
          ) : (
            <>
              <p>It goes through the ledger and the gate like every other strategy:</p>
              <List size="sm" spacing={6}>
                {meaning.data.consequences.map((line) => (
                  <List.Item key={line}>
                    <Words text={line} />
                  </List.Item>
                ))}
              </List>
            </>
          )}
          {deploy.isError && <ProblemNotice error={deploy.error} />}
          <Group mt={16} justify="flex-end">
            <Button variant="default" onClick={close} data-autofocus>
              {meaning.data.listed ? 'Close' : 'Cancel'}
            </Button>
            {!meaning.data.listed && (
              <Button loading={deploy.isPending} onClick={() => deploy.mutate(meaning.data.content_hash)}>
                Deploy to paper
              </Button>
            )}
          </Group>
        </>
      )}
      {done && (
        <div role="status">
          <p>
            “{title}” is on the fleet's list as <code>{done.content_hash.slice(0, 12)}</code>.{' '}
            {done.restarts ? 'A new run begins with it now.' : 'The next run tries it.'} What you change from now on
            changes nothing there until you deploy again.
          </p>
          <Group mt={16} justify="flex-end">
            <Button onClick={close}>Done</Button>
          </Group>
        </div>
      )}
    </Modal>
  )
}
