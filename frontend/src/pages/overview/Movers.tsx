import { useRef } from 'react'
import { Link } from 'react-router'
import { money } from '../../format'
import { useFleet } from '../../live/status'
import { Change } from '../../parts/Change'
import { movers } from './movers'

const MOST = 8
/** Rows change places once a second at most, milliseconds. */
const EVERY = 1_000

/** Who gained or lost most today. */
export function Movers() {
  const fleet = useFleet()
  const ranking = useRef({ at: Number.NEGATIVE_INFINITY, shape: -1, rows: movers(fleet, MOST) })
  const held = useRef(false)
  const now = performance.now()
  const { at, shape } = ranking.current
  if (shape !== fleet.shape || (!held.current && now - at >= EVERY))
    ranking.current = { at: now, shape: fleet.shape, rows: movers(fleet, MOST) }
  const { rows } = ranking.current
  if (fleet.length === 0) return <p className="muted overview-none">No agents yet.</p>
  if (rows.length === 0) return <p className="muted overview-none">Nobody has moved today.</p>
  return (
    <table
      className="table overview-table"
      onPointerEnter={() => {
        held.current = true
      }}
      onPointerLeave={() => {
        held.current = false
      }}
    >
      <thead>
        <tr>
          <th scope="col">Agent</th>
          <th scope="col" className="numbers">
            P&L today
          </th>
          <th scope="col" className="numbers">
            Equity
          </th>
        </tr>
      </thead>
      <tbody>
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
            <td className="numbers live">{money(fleet.equity[row])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
