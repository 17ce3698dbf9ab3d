import { Skeleton } from '@mantine/core'
import { ArrowDown, ArrowUp, ArrowUpDown } from 'lucide-react'
import type { ReactNode } from 'react'
import { useMemo, useState } from 'react'

export interface Column<Row> {
  id: string
  title: string
  cell: (row: Row) => ReactNode
  /** What the column is sorted by; without it, it is not sorted. Null comes last either way. */
  by?: (row: Row) => number | string | null
  numeric?: boolean
  /** Whether a phone has room for it. */
  phone?: boolean
}

interface Sorting {
  id: string
  down: boolean
}

/** A table of some hundreds of rows at most: its head stays in sight, its columns sort both ways. */
export function DataTable<Row>({
  label,
  columns,
  rows,
  keyOf,
  sorted,
  empty,
  height,
  chosen,
}: {
  label: string
  columns: readonly Column<Row>[]
  /** Undefined while they are loaded. */
  rows: readonly Row[] | undefined
  keyOf: (row: Row) => string | number
  /** How it is sorted first; without it, rows stay in the order in which they are given. */
  sorted?: Sorting
  /** What is said when there are none. */
  empty: ReactNode
  /** The most that it takes, pixels; it scrolls within. */
  height?: number
  /** The key of a row that is marked. */
  chosen?: string | number | null
}) {
  const [sorting, setSorting] = useState<Sorting | undefined>(sorted)
  const ordered = useMemo(() => inOrder(rows ?? [], columns, sorting), [rows, columns, sorting])
  if (rows?.length === 0) return <div className="table-empty muted">{empty}</div>
  return (
    // A part that scrolls has to be reached by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section className="table-scroll" style={{ maxHeight: height }} tabIndex={0} aria-label={label}>
      <table className="table" aria-busy={rows === undefined}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.id} column={column} sorting={sorting} sort={setSorting} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows === undefined &&
            ['a', 'b', 'c'].map((key) => (
              <tr key={key}>
                <td colSpan={columns.length}>
                  <Skeleton height={12} />
                </td>
              </tr>
            ))}
          {ordered.map((row) => {
            const key = keyOf(row)
            return (
              <tr key={key} data-key={key} className={key === chosen ? 'chosen' : undefined}>
                {columns.map((column) => (
                  <td key={column.id} className={classOf(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

function Head<Row>({
  column,
  sorting,
  sort,
}: {
  column: Column<Row>
  sorting: Sorting | undefined
  sort: (sorting: Sorting) => void
}) {
  if (!column.by)
    return (
      <th scope="col" className={classOf(column)}>
        {column.title}
      </th>
    )
  const mine = sorting?.id === column.id
  const Icon = mine ? (sorting.down ? ArrowDown : ArrowUp) : ArrowUpDown
  return (
    <th
      scope="col"
      className={classOf(column)}
      aria-sort={mine ? (sorting.down ? 'descending' : 'ascending') : undefined}
    >
      <button
        type="button"
        className="table-sort"
        onClick={() => sort({ id: column.id, down: mine ? !sorting.down : column.numeric === true })}
      >
        {column.title}
        <Icon size={12} className={mine ? '' : 'table-unsorted'} aria-hidden />
      </button>
    </th>
  )
}

const classOf = <Row,>(column: Column<Row>) =>
  [column.numeric ? 'numbers' : '', column.phone === false ? 'no-phone' : ''].join(' ').trim() || undefined

/** Rows in the order that is asked for; equals stay in the order in which they came. */
export function inOrder<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sorting: Sorting | undefined,
): readonly Row[] {
  const by = columns.find((column) => column.id === sorting?.id)?.by
  if (!by || !sorting) return rows
  const sign = sorting.down ? -1 : 1
  return [...rows].sort((a, b) => {
    const [left, right] = [by(a), by(b)]
    if (left === null || right === null) return Number(left === null) - Number(right === null)
    if (typeof left === 'number' && typeof right === 'number') return sign * (left - right)
    return sign * String(left).localeCompare(String(right), 'en', { numeric: true })
  })
}
