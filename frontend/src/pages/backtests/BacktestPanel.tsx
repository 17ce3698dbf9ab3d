import { Empty } from '../../parts/Empty'

/** Where a strategy's backtest is started and shown. */
export function BacktestPanel({ text }: { text: string }) {
  return (
    <Empty title="Backtest">
      {text ? 'Backtests are started on their own page.' : 'There is nothing to test yet.'}
    </Empty>
  )
}
