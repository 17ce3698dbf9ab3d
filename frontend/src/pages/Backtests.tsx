import { Page } from '../parts/Page'

export default function Backtests() {
  return <Page title="Backtests">{null}</Page>
}
