import { Page } from '../parts/Page'

export default function Risk() {
  return <Page title="Risk">{null}</Page>
}
