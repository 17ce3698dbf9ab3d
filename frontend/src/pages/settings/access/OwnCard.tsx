import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Card } from '../../../parts/Card'
import { ProblemNotice } from '../../../parts/ProblemNotice'
import { signOut, useSession } from '../../../session/session'

/** Who is signed in here, for somebody who may not see who else is; and the way out. */
export function OwnCard({ reason }: { reason: string }) {
  const { data: who } = useSession()
  const leave = useMutation({ mutationFn: signOut })
  return (
    <Card title="You">
      <p className="settings-plain">
        You are signed in as <bdi>{who?.name}</bdi>. {reason}
      </p>
      {leave.error && <ProblemNotice error={leave.error} />}
      <div className="access-foot">
        <Button variant="default" loading={leave.isPending} onClick={() => leave.mutate()}>
          Sign out
        </Button>
      </div>
    </Card>
  )
}
