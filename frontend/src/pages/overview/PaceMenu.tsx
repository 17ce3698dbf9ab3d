import { Menu } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useQuery } from '@tanstack/react-query'
import { Gauge } from 'lucide-react'
import { useState } from 'react'
import { answered, api, ProblemError } from '../../api/client'
import { counted } from '../../format'
import { RightButton } from '../../parts/RightButton'
import { useRestart } from './process'

const PACES = [1, 2, 10, 50, 500]

/** How fast the sample market is replayed. */
export function PaceMenu() {
  const [opened, setOpened] = useState(false)
  const { data } = useQuery({
    queryKey: ['runs', 'process'],
    queryFn: () => answered(api.GET('/api/fleet/process')),
    enabled: opened,
    staleTime: 0,
  })
  const restart = useRestart(({ pace }) => `After the bar at hand it goes on at ${bars(pace ?? 1)}.`)
  return (
    <Menu opened={opened} onChange={setOpened} position="bottom-end" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <RightButton
          right="decide"
          size="compact-xs"
          variant="default"
          leftSection={<Gauge size={12} />}
          loading={restart.isPending}
        >
          Pace
        </RightButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{data ? `Replayed at ${bars(data.pace)}` : 'How fast the sample is replayed'}</Menu.Label>
        {PACES.map((pace) => (
          <Menu.Item
            key={pace}
            onClick={() =>
              restart.mutate(
                { pace, fresh: false },
                {
                  onError: (error) =>
                    notifications.show({
                      color: 'danger',
                      title: 'The pace stays as it is',
                      message:
                        error instanceof ProblemError
                          ? [error.problem.what, error.problem.hint].filter(Boolean).join('; ')
                          : String(error),
                    }),
                },
              )
            }
          >
            {bars(pace)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

const bars = (pace: number) => `${counted(pace, 'bar')} a second`
