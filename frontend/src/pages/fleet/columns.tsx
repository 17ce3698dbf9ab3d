import type { ReactNode } from 'react'
import { money, number, percent, UNKNOWN } from '../../format'
import type { Fleet } from '../../live/fleet'
import { STATES } from '../../live/frames'
import { AgentState } from '../../parts/AgentState'
import { Change } from '../../parts/Change'
import { Gauge } from '../../parts/Gauge'
import type { SortBy } from './ranking'

export interface FleetColumn {
  id: string
  title: string
  hint?: string
  by?: SortBy
  numeric: boolean
  /** The narrowest it may be, pixels, and its share of what is left. */
  width: number
  share: number
  /** The narrowest on a phone, where it is another. */
  phone?: number
  /** From which width of the window it is shown, pixels. */
  from: number
  cell: (fleet: Fleet, row: number) => ReactNode
}

const number_of = (column: Float64Array, row: number) => column[row] ?? Number.NaN

/** From left to right. */
export const COLUMNS: readonly FleetColumn[] = [
  {
    id: 'name',
    title: 'Agent',
    by: 'name',
    numeric: false,
    width: 72,
    share: 0.8,
    from: 0,
    cell: (fleet, row) => <bdi>{fleet.ids[row]}</bdi>,
  },
  {
    id: 'strategy',
    title: 'Strategy',
    numeric: false,
    width: 140,
    share: 4,
    from: 640,
    cell: (fleet, row) => <bdi title={fleet.names[row]}>{fleet.names[row]}</bdi>,
  },
  {
    id: 'markets',
    title: 'Markets',
    numeric: false,
    width: 96,
    share: 2,
    from: 1200,
    cell: (fleet, row) => <span title={fleet.markets[row]}>{fleet.markets[row]?.replaceAll(',', ', ')}</span>,
  },
  {
    id: 'state',
    title: 'State',
    by: 'state',
    numeric: false,
    width: 96,
    phone: 24,
    share: 0.6,
    from: 0,
    cell: (fleet, row) => <AgentState state={STATES[fleet.state[row] ?? 0] ?? 'active'} />,
  },
  {
    id: 'profit',
    title: 'P&L today',
    by: 'profit',
    numeric: true,
    width: 92,
    phone: 80,
    share: 1,
    from: 0,
    cell: (fleet, row) => <Change value={number_of(fleet.profit, row)} />,
  },
  {
    id: 'total',
    title: 'P&L total',
    hint: 'Since it was hired',
    by: 'total',
    numeric: true,
    width: 92,
    share: 1,
    from: 900,
    cell: (fleet, row) => <Change value={number_of(fleet.total, row)} />,
  },
  {
    id: 'equity',
    title: 'Equity',
    by: 'equity',
    numeric: true,
    width: 78,
    phone: 66,
    share: 1,
    from: 0,
    cell: (fleet, row) => money(number_of(fleet.equity, row)),
  },
  {
    id: 'drawdown',
    title: 'Drawdown',
    hint: 'Below its peak, share of its capital',
    by: 'drawdown',
    numeric: true,
    width: 84,
    share: 0.8,
    from: 1000,
    cell: (fleet, row) => percent(-number_of(fleet.drawdown, row)),
  },
  {
    id: 'exposure',
    title: 'Exposure',
    hint: 'Gross notional',
    by: 'exposure',
    numeric: true,
    width: 88,
    share: 1,
    from: 1300,
    cell: (fleet, row) => money(number_of(fleet.exposure, row)),
  },
  {
    id: 'risk',
    title: 'Risk',
    hint: "Share of its part of the day's limit that is lost or reserved",
    by: 'risk',
    numeric: true,
    width: 124,
    phone: 36,
    share: 0.8,
    from: 0,
    cell: (fleet, row) => {
      const risk = number_of(fleet.risk, row)
      return (
        <>
          <Gauge label="Risk budget used" value={risk} warn={0.9} stop={1} small />{' '}
          <span className="fleet-share">{percent(risk, 0)}</span>
        </>
      )
    },
  },
  {
    id: 'wealth',
    title: 'Evidence',
    hint: 'Wealth of the bet on it, 1 where it began',
    by: 'wealth',
    numeric: true,
    width: 84,
    share: 0.8,
    from: 1100,
    cell: (fleet, row) => {
      const wealth = number_of(fleet.wealth, row)
      return Number.isNaN(wealth) ? UNKNOWN : number(wealth, 2)
    },
  },
]

export const columnsFor = (width: number): readonly FleetColumn[] => COLUMNS.filter((column) => width >= column.from)

export const template = (columns: readonly FleetColumn[], width: number): string =>
  [
    `${width <= PHONE ? 38 : 24}px`, // the box that selects it
    ...columns.map((column) => `minmax(${(width <= PHONE && column.phone) || column.width}px, ${column.share}fr)`),
  ].join(' ')

/** As in the style sheets. */
const PHONE = 800
