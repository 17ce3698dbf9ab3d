import { NativeSelect } from '@mantine/core'
import { Card } from '../../parts/Card'
import { DENSITIES, type Density, PROFIT_COLOURS, type ProfitColours, useAppearance } from '../../shell/appearance'

const THEMES = { auto: 'As the system', dark: 'Dark', light: 'Light' } as const

/** How the pages look; kept in this browser. */
export function AppearanceCard() {
  const look = useAppearance()
  return (
    <Card title="Appearance" aside={<span className="settings-meaning">kept in this browser</span>}>
      <div className="settings-choices">
        <NativeSelect
          label="Theme"
          value={look.theme}
          onChange={(event) => look.setTheme(event.currentTarget.value as keyof typeof THEMES)}
          data={Object.entries(THEMES).map(([value, label]) => ({ value, label }))}
        />
        <NativeSelect
          label="Profit and loss"
          value={look.profitColours}
          onChange={(event) => look.setProfitColours(event.currentTarget.value as ProfitColours)}
          data={Object.entries(PROFIT_COLOURS).map(([value, label]) => ({ value, label }))}
        />
        <NativeSelect
          label="Rows"
          value={look.density}
          onChange={(event) => look.setDensity(event.currentTarget.value as Density)}
          data={Object.entries(DENSITIES).map(([value, label]) => ({ value, label }))}
        />
      </div>
      <p>
        <span className="gain">▲ +12.30</span> <span className="loss">▼ −4.56</span>{' '}
        <span className="muted">never by colour alone: sign and shape say it too</span>
      </p>
    </Card>
  )
}
