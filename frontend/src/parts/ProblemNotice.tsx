import { Alert, Button } from '@mantine/core'
import { ProblemError } from '../api/client'
import { sentence } from '../format'
import { Words } from './Words'

/** What went wrong, where, and what would be right; never a status code alone. */
export function ProblemNotice({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = error instanceof ProblemError ? error.problem : { what: String(error), where: null, hint: null }
  return (
    <Alert color="danger" variant="outline" role="alert" title={<Words text={sentence(problem.what)} />}>
      {problem.where && <div className="muted">At {problem.where}.</div>}
      {problem.hint && (
        <div>
          <Words text={sentence(problem.hint)} />.
        </div>
      )}
      {retry && (
        <Button mt={8} size="compact-sm" variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </Alert>
  )
}
