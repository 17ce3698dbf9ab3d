import { Button, Skeleton } from '@mantine/core'
import { ChartLine, Table2 } from 'lucide-react'
import { type ReactNode, Suspense, useState } from 'react'
import { type Column, DataTable } from '../parts/DataTable'
import { Guard } from '../parts/Guard'
import { thinned } from './points'
import './charts.css'

const MOST_ROWS = 250

/** A chart with what it says in words, and the table of the same numbers that stands in its place on demand. */
export function ChartFigure<Row>({
  label,
  summary,
  legend,
  columns,
  rows,
  keyOf,
  height,
  children,
}: {
  label: string
  summary: string
  legend?: ReactNode
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string | number
  height: number
  children: ReactNode
}) {
  const [table, setTable] = useState(false)
  const shown = table ? thinned(rows, MOST_ROWS) : []
  return (
    <figure className="chart-figure" aria-label={label}>
      <div className="chart-head">
        {legend}
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          className="chart-switch"
          leftSection={table ? <ChartLine size={12} /> : <Table2 size={12} />}
          onClick={() => setTable(!table)}
        >
          {table ? 'Show as chart' : 'Show as table'}
        </Button>
      </div>
      {table ? (
        <>
          <DataTable
            label={`${label}, as a table`}
            columns={columns}
            rows={shown}
            keyOf={keyOf}
            empty="There are no points yet."
            height={height}
          />
          {shown.length < rows.length && (
            <p className="chart-summary">
              {shown.length} of {rows.length.toLocaleString('en-US')} points, evenly spaced.
            </p>
          )}
        </>
      ) : (
        <Guard place={label}>
          <Suspense fallback={<Skeleton height={height} radius={4} />}>{children}</Suspense>
        </Guard>
      )}
      <figcaption className="chart-summary">{summary}</figcaption>
    </figure>
  )
}
