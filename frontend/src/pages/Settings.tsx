import { Card } from '../parts/Card'
import { Page } from '../parts/Page'
import { AboutCard } from './settings/AboutCard'
import { AppearanceCard } from './settings/AppearanceCard'
import { AccessSettings } from './settings/access/AccessSettings'
import { KeysCard } from './settings/KeysCard'
import { ValuesCard } from './settings/ValuesCard'
import './settings/settings.css'

export default function Settings() {
  return (
    <Page title="Settings">
      <div className="settings-grid">
        <div className="settings-column">
          <AppearanceCard />
          <Card title="Alerts">
            <p className="settings-plain">
              Alerts stand behind the bell in the header of every page, until somebody has acknowledged them. They are
              sent nowhere else in this version.
            </p>
          </Card>
        </div>
        <KeysCard />
        <AccessSettings />
        <ValuesCard />
        <AboutCard />
      </div>
    </Page>
  )
}
