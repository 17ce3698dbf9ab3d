import type { Schema } from '../../api/client'
import { money, percent } from '../../format'
import type { Fleet } from '../../live/fleet'
import { useFleet } from '../../live/status'
import { Change } from '../../parts/Change'
import { Gauge } from '../../parts/Gauge'
import { KeyFigure } from '../../parts/KeyFigure'

type Column = 'equity' | 'profit' | 'total' | 'drawdown' | 'exposure' | 'risk'

/** The numbers of an agent, live. */
export function AgentFigures({ agent }: { agent: Schema<'AgentDetail'> }) {
  const fleet = useFleet()
  const { currency, summary, state_why } = agent
  const of = (column: Column) => newest(fleet, agent, column)
  const risk = of('risk')
  return (
    <div className="agent-figures">
      <KeyFigure
        live
        label={`Equity, ${currency}`}
        value={money(of('equity'))}
        note={`of ${money(Number(agent.capital))}`}
      />
      <KeyFigure live label="P&L today" value={<Change value={of('profit')} />} />
      <KeyFigure live label="P&L total" value={<Change value={of('total')} />} note="since it was hired" />
      <KeyFigure live label="Drawdown" value={percent(negative(of('drawdown')))} note="of its capital" />
      <KeyFigure live label="Exposure" value={money(of('exposure'))} note={summary.markets.replaceAll(',', ', ')} />
      <KeyFigure
        live
        label="Risk budget"
        value={percent(risk, 0)}
        note={state_why ? `Stopped: ${state_why.toLowerCase().replaceAll('_', ' ')}` : 'of its part of the day limit'}
      >
        <Gauge label="Risk budget used" value={risk} warn={0.9} stop={1} />
      </KeyFigure>
    </div>
  )
}

const negative = (value: number | null) => (value === null ? null : -value)

/** From the live fleet where the agent is in it, else as it was answered. */
function newest(fleet: Fleet, agent: Schema<'AgentDetail'>, column: Column): number | null {
  const row = fleet.run === agent.run ? fleet.rowOf(agent.summary.id) : undefined
  const value = row === undefined ? agent.summary[column] : fleet[column][row]
  return value === undefined || value === null || Number.isNaN(value) ? null : value
}
