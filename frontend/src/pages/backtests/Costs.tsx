import { money, number, percent, signed } from '../../format'
import { Card } from '../../parts/Card'
import { StatTable } from '../../parts/StatTable'
import { figureOf } from './KeyFigures'
import type { Detail, Result } from './queries'
import { rate } from './words'

/** What trading cost, and what it was reckoned with. */
export function Costs({ run, result }: { run: Detail; result: Result }) {
  const of = (name: string) => figureOf(result.figures, name)
  const paid = ['fees', 'slippage', 'funding'].reduce((sum, name) => sum + (of(name) ?? 0), 0)
  return (
    <Card title={`Costs, ${result.currency}`}>
      <StatTable
        stats={[
          { label: `Fees, ${rate(run.fee)} a side`, value: money(of('fees')) },
          { label: `Slippage, ${rate(run.slippage)} a side`, value: money(of('slippage')) },
          { label: 'Funding, negative when received', value: money(of('funding')) },
          { label: 'All costs', value: money(paid) },
          { label: 'Costs, share of the capital', value: percent(paid / Number(run.capital), 2) },
          { label: 'Turnover a year', value: `${number(of('turnover'), 1)}×` },
          { label: 'Exposure, mean', value: percent(of('exposure')) },
        ]}
      />
      {result.exits.length > 0 && (
        <>
          <h3 className="bt-sub">Where the profit came from</h3>
          <StatTable
            stats={result.exits.map((exit) => ({
              label: `${exit.text}, ${exit.won} of ${exit.trades} won`,
              value: signed(exit.profit),
            }))}
          />
        </>
      )}
    </Card>
  )
}
