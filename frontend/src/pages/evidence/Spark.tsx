import { sparkPath } from './drawing'
import { level as levelText, wealth } from './words'

const WIDTH = 120
const HEIGHT = 28

/** The way of a wealth to its level, both on a logarithmic scale; the level is the dashed line. */
export function Spark({ logs, level, now }: { logs: readonly number[]; level: number; now: number }) {
  const { path, levelY, startY } = sparkPath(logs, Math.log10(level), WIDTH, HEIGHT)
  return (
    <svg
      className="evidence-spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={`wealth ${wealth(now)} of ${levelText(level)}, logarithmic scale`}
    >
      <line x1="0" x2={WIDTH} y1={startY} y2={startY} className="evidence-one" />
      <line x1="0" x2={WIDTH} y1={levelY} y2={levelY} className="evidence-level" />
      {path && <path d={path} className="evidence-line" />}
    </svg>
  )
}
