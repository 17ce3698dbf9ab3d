import { Page } from '../parts/Page'

export default function Evidence() {
  return <Page title="Evidence">{null}</Page>
}
