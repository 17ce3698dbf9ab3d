import { useRef } from 'react'
import { Link } from 'react-router'
import type { Fleet } from '../../live/fleet'
import { useFleet } from '../../live/status'
import { Change } from '../../parts/Change'
import { movers } from './movers'

const MOST = 5
/** Rows change places once a second at most, milliseconds. */
const EVERY = 1_000

/** Who gained and who lost most today. */
export function Movers() {
  const fleet = useFleet()
  const ranking = useRef({ at: Number.NEGATIVE_INFINITY, shape: -1, ...movers(fleet, MOST) })
  const held = useRef(false)
  const now = performance.now()
  const last = ranking.current
  if (last.shape !== fleet.shape || (!held.current && now - last.at >= EVERY))
    ranking.current = { at: now, shape: fleet.shape, ...movers(fleet, MOST) }
  const { gained, lost } = ranking.current
  if (fleet.length === 0) return <p className="muted overview-none">No agents yet.</p>
  if (gained.length + lost.length === 0) return <p className="muted overview-none">Nobody has moved today.</p>
  return (
    <div
      className="overview-sides"
      onPointerEnter={() => {
        held.current = true
      }}
      onPointerLeave={() => {
        held.current = false
      }}
    >
      <Side title="Gained" fleet={fleet} rows={gained} />
      <Side title="Lost" fleet={fleet} rows={lost} />
    </div>
  )
}

function Side({ title, fleet, rows }: { title: string; fleet: Fleet; rows: readonly number[] }) {
  return (
    <table className="table overview-table">
      <thead>
        <tr>
          <th scope="col">{title}</th>
          <th scope="col" className="numbers">
            P&L today
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.length === 0 && (
          <tr>
            <td colSpan={2} className="muted">
              Nobody
            </td>
          </tr>
        )}
        {rows.map((row) => (
          <tr key={fleet.ids[row]}>
            <td>
              <Link className="overview-agent" to={`/fleet/${encodeURIComponent(fleet.ids[row] ?? '')}`}>
                {fleet.ids[row]} <bdi className="muted">{fleet.names[row]}</bdi>
              </Link>
            </td>
            <td className="numbers live">
              <Change value={fleet.profit[row]} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
