import type { Schema } from '../../api/client'
import { count, number } from '../../format'
import { powers, scale, ticks } from './drawing'

const WIDTH = 640
const HEIGHT = 220
const LEFT = 44
const BOTTOM = 34
const RIGHT = 12
const TOP = 12

/** What luck alone shows of so many trials, and the best that was found. */
export function LuckDrawing({ luck }: { luck: Schema<'LuckOnBars'> }) {
  const { curve, best, charged } = luck
  const first = curve[0]
  const last = curve.at(-1)
  if (!first || !last) return null
  const low = Math.min(0, first.low, best.sharpe)
  const high = Math.max(last.high, best.sharpe) * 1.05
  const x = scale(first.trials, Math.max(last.trials, 10), LEFT, WIDTH - RIGHT, true)
  const y = scale(low, high, HEIGHT - BOTTOM, TOP)
  const line = (of: 'expected' | 'low' | 'high') => curve.map((point) => `${x(point.trials)},${y(point[of])}`)
  return (
    <svg className="evidence-luck" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="Best Sharpe ratio by luck">
      {ticks(low, high, 5).map((value) => (
        <g key={value}>
          <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(value)} y2={y(value)} className="evidence-grid" />
          <text x={LEFT - 6} y={y(value) + 4} textAnchor="end">
            {number(value, Number.isInteger(value) ? 0 : 1)}
          </text>
        </g>
      ))}
      {powers(first.trials, last.trials).map((value) => (
        <text key={value} x={x(value)} y={HEIGHT - BOTTOM + 16} textAnchor="middle">
          {count(value)}
        </text>
      ))}
      <text x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 4} textAnchor="middle">
        strategies tried (log scale)
      </text>
      <polygon className="evidence-band" points={[...line('high'), ...line('low').reverse()].join(' ')} />
      <polyline className="evidence-level" points={line('expected').join(' ')} />
      <line
        x1={x(charged.trials)}
        x2={x(charged.trials)}
        y1={y(charged.expected)}
        y2={y(best.sharpe)}
        className="evidence-drop"
      />
      <circle cx={x(charged.trials)} cy={y(best.sharpe)} r="5" className="evidence-dot" />
      <text
        x={x(charged.trials) - 9}
        y={y(best.sharpe) + 4}
        textAnchor="end"
        className="evidence-dot-text"
      >{`best found ${number(best.sharpe)}`}</text>
    </svg>
  )
}
