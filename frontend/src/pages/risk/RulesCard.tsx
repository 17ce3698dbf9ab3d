import type { Schema } from '../../api/client'
import { Card } from '../../parts/Card'

/** The rules that nobody can set. */
export function RulesCard({ rules }: { rules: readonly Schema<'Rule'>[] }) {
  return (
    <Card title="Rules that nobody can set">
      <ul className="risk-rules">
        {rules.map((rule) => (
          <li key={rule.code}>
            {rule.text} <code>{rule.code}</code>
          </li>
        ))}
      </ul>
    </Card>
  )
}
