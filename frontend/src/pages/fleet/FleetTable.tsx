// biome-ignore-all lint/a11y/useSemanticElements: rows that are placed by hand are no rows of a table to a browser
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and says which row is chosen
// biome-ignore-all lint/a11y/useKeyWithClickEvents: Enter opens the row that is chosen
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ArrowUp } from 'lucide-react'
import { type KeyboardEvent, memo, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { Link, useLocation } from 'react-router'
import type { Fleet } from '../../live/fleet'
import { columnsFor, type FleetColumn, template } from './columns'
import type { SortBy } from './ranking'
import { SelectAll, SelectBox } from './SelectBox'
import { including, NOTHING, reaching, type Selection, toggled } from './selection'

const HEAD = 32
/** Keys for what can be done with the selection. */
const DEEDS = new Set(['p', 'u'])
/** How long rows stay where they are after a key was pressed, milliseconds. */
const CALM = 3_000

/** All agents: only the rows in sight are drawn, with every frame. `hold` is told while nothing may move. */
export function FleetTable({
  grid: scroll,
  fleet,
  rows,
  by,
  down,
  onSort,
  onOpen,
  hold,
  selection,
  shown,
  onSelect,
  onPause,
  rowHeight,
  width,
}: {
  grid: RefObject<HTMLDivElement | null>
  fleet: Fleet
  rows: readonly number[]
  by: SortBy
  down: boolean
  onSort: (by: SortBy) => void
  onOpen: (id: string) => void
  hold: (held: boolean) => void
  selection: Selection
  /** How many of the rows are selected. */
  shown: number
  onSelect: (selection: Selection) => void
  /** Asks whether what is selected is to be paused, or unpaused. */
  onPause: (pause: boolean) => void
  rowHeight: number
  width: number
}) {
  const [chosen, setChosen] = useState<string | null>(null)
  const { search } = useLocation()
  const columns = useMemo(() => columnsFor(width), [width])
  const calm = useHold(hold)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 6,
    scrollMargin: HEAD,
    scrollPaddingStart: HEAD,
    useFlushSync: false,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: another height of rows is another height of all
  useEffect(() => virtual.measure(), [rowHeight, virtual])

  const chosenRow = chosen === null ? undefined : fleet.rowOf(chosen)
  const order = () => rows.map((row) => fleet.ids[row] ?? '')
  const move = (to: number, reach: boolean) => {
    const at = Math.min(rows.length - 1, Math.max(0, to))
    const row = rows[at]
    const id = row === undefined ? undefined : fleet.ids[row]
    if (id === undefined) return
    setChosen(id)
    virtual.scrollToIndex(at)
    if (reach) onSelect(reaching(selection, order(), id, chosen ?? id))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const at = chosenRow === undefined ? -1 : rows.indexOf(chosenRow)
    const page = Math.max(1, Math.floor((scroll.current?.clientHeight ?? 0) / rowHeight) - 2)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length }
    const onGrid = event.target === event.currentTarget
    const key = event.ctrlKey || event.metaKey || event.altKey ? '' : event.key.toLowerCase()
    if (event.key in to) move(to[event.key as keyof typeof to], event.shiftKey)
    else if (event.key === 'Enter' && chosen !== null && onGrid) onOpen(chosen)
    else if (event.key === ' ' && chosen !== null && onGrid) onSelect(toggled(selection, chosen))
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) selectAll.current(true)
    else if (selection.ids.size > 0 && event.key === 'Escape') onSelect(NOTHING)
    else if (selection.ids.size > 0 && onGrid && DEEDS.has(key)) onPause(key === 'p')
    else return
    calm.key()
    event.preventDefault()
  }
  // They are the same through all frames, so that boxes which stay as they are need not be drawn again.
  const pick = useRef<(id: string, range: boolean) => void>(() => {})
  pick.current = (id, range) => {
    setChosen(id)
    onSelect(range ? reaching(selection, order(), id) : toggled(selection, id))
    scroll.current?.focus({ preventScroll: true })
  }
  const onPick = useCallback((id: string, range: boolean) => pick.current(id, range), [])
  const selectAll = useRef<(on: boolean) => void>(() => {})
  selectAll.current = (on) => onSelect(including(selection, order(), on))
  const onAll = useCallback((on: boolean) => selectAll.current(on), [])
  const drawn = virtual.getVirtualItems()
  const chosenDrawn = drawn.some((item) => rows[item.index] === chosenRow)
  return (
    <div
      ref={scroll}
      role="grid"
      aria-label="Agents"
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length + 1}
      aria-activedescendant={chosenDrawn && chosen !== null ? rowId(chosen) : undefined}
      tabIndex={0}
      className="fleet-grid"
      style={{ '--columns': template(columns, width) } as React.CSSProperties}
      onKeyDown={onKeyDown}
      onPointerEnter={(event) => event.pointerType === 'mouse' && calm.pointer(true)}
      onPointerLeave={() => calm.pointer(false)}
    >
      <div role="row" aria-rowindex={1} className="fleet-row fleet-head">
        <div role="columnheader" className="fleet-pick-cell">
          <SelectAll rows={rows.length} on={shown === 0 ? false : shown === rows.length ? true : null} onAll={onAll} />
        </div>
        {columns.map((column) => (
          <ColumnHead key={column.id} column={column} sorted={column.by === by ? down : null} onSort={onSort} />
        ))}
      </div>
      <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {drawn.map((item) => {
          const row = rows[item.index] as number
          const id = fleet.ids[row] ?? ''
          const picked = selection.ids.has(id)
          return (
            <div
              key={id}
              id={rowId(id)}
              role="row"
              aria-rowindex={item.index + 2}
              aria-selected={id === chosen}
              data-agent={id}
              className={`fleet-row${id === chosen ? ' chosen' : ''}${picked ? ' picked' : ''}`}
              style={{ height: rowHeight, transform: `translateY(${item.start - HEAD}px)` }}
              onMouseDown={(event) => event.shiftKey && event.preventDefault()}
              onClick={(event) => {
                if (event.shiftKey || event.ctrlKey || event.metaKey) onPick(id, event.shiftKey)
                else {
                  setChosen(id)
                  onOpen(id)
                }
              }}
            >
              <div role="gridcell" className="fleet-pick-cell">
                <SelectBox id={id} on={picked} onPick={onPick} />
              </div>
              {columns.map((column) => (
                <div key={column.id} role="gridcell" className={column.numeric ? 'numbers live' : undefined}>
                  {column.id === 'name' ? <AgentLink id={id} search={search} /> : column.cell(fleet, row)}
                </div>
              ))}
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** A way to the agent that can be opened in another window; the row does the same, so that it is no stop of its own. */
const AgentLink = memo(({ id, search }: { id: string; search: string }) => (
  <Link to={`/fleet/${encodeURIComponent(id)}${search}`} tabIndex={-1} onClick={(event) => event.stopPropagation()}>
    <bdi title={id}>{id}</bdi>
  </Link>
))

const ColumnHead = memo(
  ({ column, sorted, onSort }: { column: FleetColumn; sorted: boolean | null; onSort: (by: SortBy) => void }) => {
    const { by, title, hint, numeric } = column
    return (
      <div
        role="columnheader"
        data-column={column.id}
        title={hint}
        className={numeric ? 'numbers' : undefined}
        aria-sort={sorted === null ? undefined : sorted ? 'descending' : 'ascending'}
      >
        {by ? (
          <button type="button" className="table-sort" onClick={() => onSort(by)}>
            {title}
            {sorted !== null && (sorted ? <ArrowDown size={12} aria-hidden /> : <ArrowUp size={12} aria-hidden />)}
          </button>
        ) : (
          title
        )}
      </div>
    )
  },
)

const rowId = (id: string) => `agent-${id.replaceAll(/\s/g, '_')}`

/** Nothing moves while the pointer is over the rows, nor shortly after a key. */
function useHold(hold: (held: boolean) => void) {
  const now = useRef({ pointer: false, keys: 0 as ReturnType<typeof setTimeout> | 0 })
  const tell = useRef(() => hold(now.current.pointer || now.current.keys !== 0))
  useEffect(() => () => clearTimeout(now.current.keys), [])
  return useRef({
    pointer: (over: boolean) => {
      now.current.pointer = over
      tell.current()
    },
    key: () => {
      clearTimeout(now.current.keys)
      now.current.keys = setTimeout(() => {
        now.current.keys = 0
        tell.current()
      }, CALM)
      tell.current()
    },
  }).current
}
