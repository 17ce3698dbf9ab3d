import { Link } from 'react-router'
import { Card } from '../../parts/Card'
import type { Comparison } from './queries'
import { figure } from './words'

/** What the runs were given that is not the same, and what came of each. */
export function CompareTables({ found }: { found: Comparison }) {
  return (
    <>
      <Card title="What differs">
        {found.differences.length === 0 ? (
          <p className="muted">They were given the same.</p>
        ) : (
          <Scrolling label="What differs">
            <Heads found={found} first="Parameter" />
            <tbody>
              {found.differences.map((difference) => (
                <tr key={difference.what}>
                  <th scope="row">{difference.what}</th>
                  {found.runs.map((run, at) => (
                    <td key={run.id} className="bt-value">
                      {difference.values[at]}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </Scrolling>
        )}
      </Card>
      <Card title="What came of it">
        <Scrolling label="Figures">
          <Heads found={found} first="Figure" numbers />
          <tbody>
            {found.figures.map((row) => (
              <tr key={row.key}>
                <th scope="row" title={row.meaning}>
                  {row.label}
                </th>
                {found.runs.map((run, at) => (
                  <td key={run.id} className={`numbers ${row.best.includes(at) ? 'bt-best' : ''}`}>
                    {row.best.includes(at) && <span className="bt-best-word">best </span>}
                    {figure(row.unit, row.values[at])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </Scrolling>
        <p className="chart-summary">
          Each over all bars of its own run. The best of several that were tried looks better than it is: a backtest
          proves nothing.
        </p>
      </Card>
    </>
  )
}

function Scrolling({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <section className="table-scroll" tabIndex={0} aria-label={label}>
      <table className="table bt-compare">{children}</table>
    </section>
  )
}

function Heads({ found, first, numbers = false }: { found: Comparison; first: string; numbers?: boolean }) {
  return (
    <thead>
      <tr>
        <th scope="col">{first}</th>
        {found.runs.map((run, at) => (
          <th key={run.id} scope="col" className={numbers ? 'numbers' : ''}>
            <Link to={`/backtests/${run.id}`}>
              {at + 1}. {run.name}
            </Link>
          </th>
        ))}
      </tr>
    </thead>
  )
}
