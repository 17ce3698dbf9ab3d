import { counted, money, percent, signedPercent, UNKNOWN } from '../../format'
import type { Status } from '../../live/status'
import { Change } from '../../parts/Change'
import { Gauge } from '../../parts/Gauge'
import { KeyFigure } from '../../parts/KeyFigure'
import { dayBudget } from './budget'

/** The numbers that matter, live. */
export function Figures({ status }: { status: Status }) {
  const { currency, equity, day_profit, drawdown, gross, agents, positions, day_loss_limit } = status
  const budget = dayBudget(status)
  return (
    <div className="overview-figures">
      <KeyFigure
        live
        testId="equity"
        label={`Equity, ${currency}`}
        value={money(equity)}
        note={
          agents === null || positions === null
            ? UNKNOWN
            : `${counted(agents, 'agent')}, ${counted(positions, 'position')}`
        }
      />
      <KeyFigure
        live
        testId="profit-today"
        label={`P&L today, ${currency}`}
        value={<Change value={day_profit} />}
        note={`${signedPercent(ratio(day_profit, equity), 2)} of equity`}
      />
      <KeyFigure
        live
        label="Drawdown"
        value={percent(drawdown === null ? null : -drawdown)}
        note="below the peak, of the capital"
      />
      <KeyFigure
        live
        testId="gross"
        label={`Gross exposure, ${currency}`}
        value={money(gross)}
        note={`${percent(ratio(gross, equity))} of equity`}
      />
      <KeyFigure
        live
        label="Fleet risk budget today"
        value={percent(budget?.used, 0)}
        note={
          budget
            ? `${money(budget.lost)} lost + ${money(budget.reserved)} reserved of ${money(day_loss_limit)}`
            : 'no limit is set'
        }
      >
        <Gauge
          label="Risk budget of the day"
          value={budget?.used ?? null}
          warn={0.75}
          stop={0.9}
          text={budget ? `${percent(budget.used, 0)} of the day's limit is lost or reserved` : 'not known'}
        />
      </KeyFigure>
    </div>
  )
}

const ratio = (part: number | null, whole: number | null) =>
  part === null || whole === null || whole <= 0 ? null : part / whole
