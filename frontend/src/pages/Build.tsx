import { Page } from '../parts/Page'

export default function Build() {
  return <Page title="Build">{null}</Page>
}
