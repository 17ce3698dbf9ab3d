import { count, money, number, percent, signedPercent, tone } from '../../format'
import { KeyFigure } from '../../parts/KeyFigure'
import type { Result } from './queries'

/** Fewer bars than this have no figures for a year: they would be noise times a large factor. */
const FEWEST_BARS = 30

/** A figure of a run by its name; null where it does not exist. */
export const figureOf = (figures: Result['figures'], name: string): number | null =>
  typeof figures[name] === 'number' ? figures[name] : null

/** What came of it, each beside what buying and holding would have brought. */
export function KeyFigures({ result }: { result: Result }) {
  const of = (name: string) => figureOf(result.figures, name)
  const held = (name: string) => result.held?.[name] ?? null
  const annual = (of('bars') ?? 0) >= FEWEST_BARS
  const total = of('total_return')
  const paid = ['fees', 'slippage', 'funding'].map((name) => of(name) ?? 0)
  return (
    <section className="bt-figures" aria-label="Key figures">
      <KeyFigure
        label="Return"
        value={signedPercent(total, 2)}
        tone={tone((total ?? 0) * 100)}
        note={`Buy and hold ${signedPercent(held('total_return'), 2)}`}
      />
      <KeyFigure
        label="Sharpe ratio"
        value={annual ? number(of('sharpe')) : '—'}
        note={annual ? `Buy and hold ${number(held('sharpe'))}` : 'Too few bars'}
      />
      <KeyFigure
        label="Max drawdown"
        value={percent(of('max_drawdown'), 2)}
        note={`Buy and hold ${percent(held('max_drawdown'), 2)}`}
      />
      <KeyFigure label="Win rate" value={percent(of('win_rate'))} note={`${count(of('trades'))} closed trades`} />
      <KeyFigure label="Profit factor" value={number(of('profit_factor'))} note="Won over lost" />
      <KeyFigure
        label={`Costs, ${result.currency}`}
        value={money(paid.reduce((sum, each) => sum + each, 0))}
        note="Fees, slippage, funding"
      />
    </section>
  )
}
