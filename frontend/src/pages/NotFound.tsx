import { Button } from '@mantine/core'
import { Link, useLocation } from 'react-router'
import { Empty } from '../parts/Empty'
import { Page } from '../parts/Page'

/** An address at which there is no page. */
export function NotFound() {
  const { pathname } = useLocation()
  return (
    <Page title="Not found">
      <Empty
        title="There is no such page"
        action={
          <Button component={Link} to="/">
            Go to the overview
          </Button>
        }
      >
        Nothing is at <code>{pathname}</code>. The address may have been mistyped or cut off.
      </Empty>
    </Page>
  )
}
