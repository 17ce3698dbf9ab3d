import { number, percent } from '../../format'
import { Card } from '../../parts/Card'
import { StatTable } from '../../parts/StatTable'
import type { Result } from './queries'

/** What luck alone would show: a backtest proves nothing. */
export function Doubts({ result }: { result: Result }) {
  const { luck } = result
  return (
    <Card title="A backtest proves nothing">
      <p className="bt-text">{luck.text}</p>
      <StatTable
        stats={[
          { label: 'Distinct trials in the ledger', value: number(luck.trials, 0) },
          {
            label: 'Sharpe ratio expected of the luckiest',
            value: number(luck.expected),
            hint: 'annual, of the best of so many strategies without an edge',
          },
          {
            label: 'Confidence that it is more than luck',
            value: percent(luck.deflated),
            hint: 'the deflated Sharpe ratio; 95% is asked for',
          },
        ]}
      />
    </Card>
  )
}
