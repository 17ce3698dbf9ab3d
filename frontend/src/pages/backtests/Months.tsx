import { percent, utc } from '../../format'
import { Card } from '../../parts/Card'
import type { Result } from './queries'
import { month, shade } from './words'

const NAMES = Array.from({ length: 12 }, (_, at) => new Date(Date.UTC(2000, at)).toUTCString().slice(8, 11))

/** Returns by year and month; they add up, they do not compound. */
export function Months({ result }: { result: Result }) {
  const largest = Math.max(0, ...result.months.flatMap((row) => row.months.map((value) => Math.abs(value ?? 0))))
  const held = result.months_held !== null
  return (
    <Card title="Returns by month, percent of the capital" className="bt-months">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section className="table-scroll" tabIndex={0} aria-label="Returns by month">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Year</th>
              {NAMES.map((name) => (
                <th key={name} scope="col" className="numbers no-phone">
                  {name}
                </th>
              ))}
              <th scope="col" className="numbers">
                Total
              </th>
              {held && (
                <th scope="col" className="numbers">
                  Held
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {result.months.map((row) => (
              <tr key={row.year}>
                <th scope="row">{row.year}</th>
                {NAMES.map((name, at) => (
                  <Month key={name} value={row.months[at] ?? null} largest={largest} />
                ))}
                <td className="numbers bt-total">{percent(row.total)}</td>
                {held && <td className="numbers muted">{percent(row.held)}</td>}
              </tr>
            ))}
            <tr>
              <th scope="row">All</th>
              <td colSpan={12} className="no-phone" />
              <td className="numbers bt-total">{percent(result.months_total)}</td>
              {held && <td className="numbers muted">{percent(result.months_held)}</td>}
            </tr>
          </tbody>
        </table>
      </section>
      <p className="chart-summary">
        By the opens of the bars, UTC, {utc(result.first).slice(0, 10)} to {utc(result.last).slice(0, 10)}. Returns add
        up{held ? '; Held is buy and hold' : ''}.
      </p>
    </Card>
  )
}

function Month({ value, largest }: { value: number | null; largest: number }) {
  const depth = shade(value, largest)
  const side = depth === 0 ? '' : (value ?? 0) > 0 ? `bt-up-${depth}` : `bt-down-${depth}`
  return <td className={`numbers no-phone ${side}`}>{month(value)}</td>
}
