import { Page } from '../parts/Page'

export default function Fleet() {
  return <Page title="Fleet">{null}</Page>
}
