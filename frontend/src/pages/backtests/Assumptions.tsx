import { Card } from '../../parts/Card'
import { CopyButton } from '../../parts/CopyButton'
import type { Detail, Result } from './queries'

/** What the figures assume, and the strategy as it was run. */
export function Assumptions({ run, result }: { run: Detail; result: Result }) {
  return (
    <>
      <Card title="Assumptions" className="bt-half">
        {result.assumptions.map((group) => (
          <details key={group.title} className="bt-details">
            <summary>{group.title}</summary>
            <ul>
              {group.lines.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </details>
        ))}
      </Card>
      <Card
        title="The strategy as it was run"
        className="bt-half"
        aside={<CopyButton text={run.strategy} label="Copy the strategy" />}
      >
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
        <pre className="bt-code" tabIndex={0}>
          {run.strategy}
        </pre>
      </Card>
    </>
  )
}
