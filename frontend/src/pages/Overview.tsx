import './overview/overview.css'
import { Skeleton } from '@mantine/core'
import { useStatus } from '../live/status'
import { Card } from '../parts/Card'
import { Page } from '../parts/Page'
import { Activity } from './overview/Activity'
import { AtRest } from './overview/AtRest'
import { CatchingUp } from './overview/CatchingUp'
import { EquityCard } from './overview/EquityCard'
import { Figures } from './overview/Figures'
import { FirstSteps } from './overview/FirstSteps'
import { Movers } from './overview/Movers'
import { NeedsYou } from './overview/NeedsYou'
import { NoRun } from './overview/NoRun'
import { PaceMenu } from './overview/PaceMenu'
import { Runs } from './overview/Runs'

export default function Overview() {
  const status = useStatus()
  return (
    <Page title="Overview">
      <FirstSteps />
      {status === null ? (
        <div className="card" aria-busy>
          <Skeleton height={72} mb={12} />
          <Skeleton height={280} />
          <span className="hidden">Waiting for the server.</span>
        </div>
      ) : status.run === null ? (
        <NoRun status={status} />
      ) : status.phase === 'catching_up' ? (
        <>
          <CatchingUp status={status} />
          <Runs />
        </>
      ) : (
        <>
          <AtRest phase={status.phase} text={status.phase_text} />
          <Figures status={status} />
          <div className="overview-row">
            <Card
              title="Equity against buying and holding"
              className="overview-chart"
              aside={status.mode === 'sample' && status.phase === 'trading' && <PaceMenu />}
            >
              <EquityCard />
            </Card>
            <div className="overview-rail">
              <NeedsYou />
              <Runs />
            </div>
          </div>
          <div className="overview-row">
            <Card title="Top movers today" className="overview-movers">
              <Movers />
            </Card>
            <Card title="What is going on" className="overview-activity">
              <Activity />
            </Card>
          </div>
        </>
      )}
    </Page>
  )
}
