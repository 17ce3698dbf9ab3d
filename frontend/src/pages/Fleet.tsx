import './fleet/fleet.css'
import { TextInput } from '@mantine/core'
import { useHotkeys, useMediaQuery, useViewportSize } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { Search } from 'lucide-react'
import { lazy, Suspense, useCallback, useMemo, useRef, useState } from 'react'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { count, counted } from '../format'
import type { Fleet as Agents } from '../live/fleet'
import { useFleet, useStatusOf } from '../live/status'
import { STATE_WORDS } from '../parts/AgentState'
import { Page } from '../parts/Page'
import { useReasonAgainst } from '../session/rights'
import { useAppearance } from '../shell/appearance'
import { useFocusBack } from '../stop/useFocusBack'
import { FleetTable } from './fleet/FleetTable'
import { FACETS } from './fleet/facets'
import { NoAgents } from './fleet/NoAgents'
import { PauseDialog } from './fleet/PauseDialog'
import { counts, Ranking, type SortBy, type Wish } from './fleet/ranking'
import { SelectionBar } from './fleet/SelectionBar'
import { including, NOTHING, present, type Selection } from './fleet/selection'
import { Views } from './fleet/Views'
import { searchOf, wishOf } from './fleet/view'

const AgentDrawer = lazy(() => import('./fleet/AgentDrawer'))

export default function Fleet() {
  const fleet = useFleet()
  const currency = useStatusOf((status) => status.currency, '')
  const { agent } = useParams()
  const [search, setSearch] = useSearchParams()
  const go = useNavigate()
  const { density } = useAppearance()
  const touch = useMediaQuery('(pointer: coarse)')
  const { width } = useViewportSize()
  const ranking = useRef(new Ranking()).current
  const held = useRef(false)
  const filter = useRef<HTMLInputElement>(null)
  const grid = useRef<HTMLDivElement>(null)
  const [wish, setWishNow] = useState(() => wishOf(search))
  useHotkeys([['/', () => filter.current?.focus()]])

  const setWish = useCallback(
    (next: Wish) => {
      setWishNow(next)
      setSearch(searchOf(next), { replace: true })
    },
    [setSearch],
  )
  const sort = useCallback(
    (by: SortBy) => setWish({ ...wish, by, down: wish.by === by ? !wish.down : by !== 'name' && by !== 'state' }),
    [wish, setWish],
  )
  const hold = useCallback((still: boolean) => {
    held.current = still
  }, [])
  const rows = ranking.update(fleet, wish, performance.now(), held.current)
  const [selected, select] = useSelection(fleet)
  const shown = useMemo(() => countIn(rows, fleet, selected), [rows, fleet, selected])
  const [asked, ask] = useState<{ ids: ReadonlySet<string>; pause: boolean } | null>(null)
  useFocusBack(asked !== null)
  const reason = useReasonAgainst('decide')
  const pause = (on: boolean) => {
    if (reason === null) ask({ ids: selected.ids, pause: on })
    else notifications.show({ title: 'Nothing was ordered', message: reason })
  }
  const inState = counts(fleet)
  const tail = searchOf(wish).toString()
  const at = (id: string | null) => go(`/fleet${id === null ? '' : `/${encodeURIComponent(id)}`}${tail && `?${tail}`}`)

  return (
    <Page title="Fleet">
      {fleet.length === 0 ? (
        <NoAgents />
      ) : (
        <section className="card fleet" aria-label="All agents">
          <div className="fleet-bar">
            <TextInput
              ref={filter}
              aria-label="Filter agents, strategies and markets"
              placeholder="Filter agents, strategies, markets  ( / )"
              leftSection={<Search size={14} />}
              className="fleet-filter"
              value={wish.query}
              maxLength={200}
              onChange={(event) => setWish({ ...wish, query: event.currentTarget.value })}
              onKeyDown={(event) => {
                if (event.key === 'Escape') setWish({ ...wish, query: '' })
              }}
            />
            <fieldset className="fleet-facets" aria-label="States">
              <Facet
                name="All"
                among={fleet.length}
                on={wish.state === null}
                choose={() => setWish({ ...wish, state: null })}
              />
              {FACETS.filter((state) => inState[state] > 0 || wish.state === state).map((state) => (
                <Facet
                  key={state}
                  name={STATE_WORDS[state]}
                  among={inState[state]}
                  on={wish.state === state}
                  choose={() => setWish({ ...wish, state: wish.state === state ? null : state })}
                />
              ))}
            </fieldset>
            <span className="fleet-count muted" role="status" data-testid="count">
              {count(rows.length)} of {counted(fleet.length, 'agent')}
            </span>
            <span className="fleet-currency muted">{currency && `Amounts in ${currency}`}</span>
            <Views search={tail} onShow={(kept) => setWish(wishOf(new URLSearchParams(kept)))} />
          </div>
          {rows.length === 0 ? (
            <p className="muted">
              No agent fits.{' '}
              <button
                type="button"
                className="text-button"
                onClick={() => setWish({ ...wish, query: '', state: null })}
              >
                Show all of them
              </button>
            </p>
          ) : (
            <FleetTable
              grid={grid}
              fleet={fleet}
              rows={rows}
              by={wish.by}
              down={wish.down}
              onSort={sort}
              onOpen={at}
              hold={hold}
              selection={selected}
              shown={shown}
              onSelect={select}
              onPause={pause}
              rowHeight={touch ? 44 : density === 'comfortable' ? 40 : 32}
              width={width || window.innerWidth}
            />
          )}
          {selected.ids.size > 0 && (
            <SelectionBar
              selected={selected.ids.size}
              shown={shown}
              rows={rows.length}
              onAll={() => select(including(selected, named(rows, fleet), true))}
              onPause={pause}
              onClear={() => {
                select(NOTHING)
                grid.current?.focus({ preventScroll: true }) // the button that had the focus is gone
              }}
            />
          )}
        </section>
      )}
      {asked && <PauseDialog fleet={fleet} {...asked} onClose={() => ask(null)} />}
      {agent !== undefined && (
        <Suspense>
          <AgentDrawer id={agent} onClose={() => at(null)} />
        </Suspense>
      )}
    </Page>
  )
}

/** What is selected, of the agents that there are: none of another run. */
function useSelection(fleet: Agents): [Selection, (next: Selection) => void] {
  const [kept, keep] = useState({ run: fleet.run, shape: fleet.shape, selection: NOTHING })
  let { selection } = kept
  if (kept.run !== fleet.run || kept.shape !== fleet.shape) {
    selection = kept.run === fleet.run ? present(selection, (id) => fleet.rowOf(id) !== undefined) : NOTHING
    keep({ run: fleet.run, shape: fleet.shape, selection })
  }
  const select = useCallback((next: Selection) => keep((now) => ({ ...now, selection: next })), [])
  return [selection, select]
}

const named = (rows: readonly number[], fleet: Agents) => rows.map((row) => fleet.ids[row] ?? '')

const countIn = (rows: readonly number[], fleet: Agents, { ids }: Selection) =>
  ids.size === 0 ? 0 : rows.reduce((count, row) => count + Number(ids.has(fleet.ids[row] ?? '')), 0)

function Facet({ name, among, on, choose }: { name: string; among: number; on: boolean; choose: () => void }) {
  return (
    <button type="button" className="facet" aria-pressed={on} onClick={choose}>
      {name} <span className="facet-count">{count(among)}</span>
    </button>
  )
}
