import { Button, Tabs, useMatches } from '@mantine/core'
import { ArrowLeft, CheckCheck, FlaskConical, Redo2, Rocket, Undo2 } from 'lucide-react'
import { lazy, Suspense, useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { Link } from 'react-router'
import { ProblemError } from '../../api/client'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { RightButton } from '../../parts/RightButton'
import { useReasonAgainst } from '../../session/rights'
import { BacktestPlace } from './BacktestPlace'
import { BlockForm } from './BlockForm'
import type { CanvasControl } from './Canvas'
import { CodePane } from './CodePane'
import { DeployDialog } from './DeployDialog'
import { ExitsForm } from './ExitsForm'
import { added } from './edit'
import { Faults } from './Faults'
import { freePlace, heightOf } from './layout'
import { PalettePane } from './PalettePane'
import { SavedNote } from './SavedNote'
import { StrategyForm } from './StrategyForm'
import type { Session } from './session'
import type { BlockKind, Fault, Kinds, Palette, Place } from './types'

const Canvas = lazy(() => import('./Canvas'))

interface Props {
  session: Session
  palette: Palette
  kinds: Kinds
}

/** One strategy: palette, graph, forms and text, all of the same draft. */
export function Editor({ session, palette, kinds }: Props) {
  const state = useSyncExternalStore(session.subscribe, session.snapshot)
  const isNarrow = useMatches({ base: true, sm: false })
  const reason = useReasonAgainst('build')
  const isLocked = isNarrow || reason !== null
  const [selected, setSelected] = useState<string | null>(null)
  const [isAsked, setAsked] = useState(false)
  const [tested, setTested] = useState<string | null>(null)
  const [isDeploying, setDeploying] = useState(false)
  const canvas = useRef<CanvasControl | null>(null)
  const area = useRef<HTMLTextAreaElement>(null)
  const side = useRef<HTMLDivElement>(null)
  const draft = state.history.present
  const { check } = state
  const pane = isLocked && !['text', 'json'].includes(state.pane) ? 'text' : state.pane

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLTextAreaElement && event.target.closest('.build-code')
      if (isLocked || typing || !(event.ctrlKey || event.metaKey)) return
      const key = event.key.toLowerCase()
      if (key !== 'z' && key !== 'y') return
      event.preventDefault()
      if (key === 'z' && !event.shiftKey) session.undo()
      else session.redo()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [session, isLocked])

  const setPane = useCallback((name: string | null) => name && session.look({ pane: name }), [session])

  const open = (id: string) => {
    setSelected(id)
    setPane('block')
    requestAnimationFrame(() =>
      side.current?.querySelector<HTMLElement>('.build-form select, .build-form input')?.focus(),
    )
  }

  const add = (kind: BlockKind, wish?: Place) => {
    let id = ''
    session.editGraph(`add ${kind.op}`, (graph) => {
      const height = heightOf({ id: '', op: kind.op }, kinds)
      const place = wish ?? freePlace(graph.layout ?? {}, canvas.current?.centre() ?? [0, 0], height)
      const made = added(graph, kind, place, kinds)
      id = made.id
      return made.graph
    })
    setSelected(id)
    setPane('block')
  }

  const go = (fault: Fault) => {
    if (fault.node) {
      setSelected(fault.node)
      setPane('block')
      canvas.current?.focus(fault.node)
    } else if (fault.line) {
      setPane(draft.form === 'json' ? 'json' : 'text')
      requestAnimationFrame(() => putCaret(area.current, fault.line ?? 1, fault.column ?? 1))
    } else setPane(fault.where?.startsWith('exits') ? 'exits' : draft.form === 'json' ? 'json' : 'strategy')
  }

  const validate = async () => {
    setAsked(true)
    const found = await session.validate()
    const first = found?.problems[0]
    if (first) go(first)
  }

  const backtest = async () => {
    const found = await session.validate()
    if (found?.valid && found.text !== null) setTested(session.draft.text)
    else if (found?.problems[0]) go(found.problems[0])
  }

  const deploy = async () => {
    const found = await session.validate()
    if (!found?.valid) {
      if (found?.problems[0]) go(found.problems[0])
      return
    }
    await session.save()
    if (session.state.saving === 'saved') setDeploying(true)
  }

  const focusChosen = (event: React.KeyboardEvent) => {
    if (event.key !== 'Escape' || !selected) return
    event.stopPropagation()
    canvas.current?.focus(selected)
  }

  return (
    <div className="build-editor">
      <div className="build-bar">
        <Button component={Link} to="/build" variant="default" size="compact-sm" leftSection={<ArrowLeft size={14} />}>
          All strategies
        </Button>
        <strong className="build-title">{draft.graph.name || 'Without a name'}</strong>
        <SavedNote session={session} state={state} />
        {!isLocked && (
          <div className="build-actions">
            <Button
              variant="default"
              size="compact-sm"
              aria-label="Undo"
              title="Undo (Ctrl+Z)"
              disabled={state.history.past.length === 0}
              onClick={() => session.undo()}
            >
              <Undo2 size={15} />
            </Button>
            <Button
              variant="default"
              size="compact-sm"
              aria-label="Redo"
              title="Redo (Ctrl+Shift+Z)"
              disabled={state.history.future.length === 0}
              onClick={() => session.redo()}
            >
              <Redo2 size={15} />
            </Button>
            <Button
              variant="default"
              size="compact-sm"
              leftSection={<CheckCheck size={15} />}
              onClick={() => void validate()}
            >
              Validate
            </Button>
            <Button size="compact-sm" leftSection={<FlaskConical size={15} />} onClick={() => void backtest()}>
              Backtest
            </Button>
            <RightButton
              right="decide"
              variant="default"
              size="compact-sm"
              leftSection={<Rocket size={15} />}
              onClick={() => void deploy()}
            >
              Deploy to paper
            </RightButton>
          </div>
        )}
      </div>
      {isLocked && (
        <p className="build-note">
          {reason ?? 'On a screen of this width a strategy can be read. Open it on a wider one to change it.'}
        </p>
      )}
      {state.leftover && (
        <div className="build-note" role="alert">
          This browser has unsaved work on an earlier revision.{' '}
          <Button size="compact-xs" variant="default" onClick={() => session.takeLeftover(true)}>
            Use it
          </Button>{' '}
          <Button size="compact-xs" variant="default" onClick={() => session.takeLeftover(false)}>
            Discard it
          </Button>
        </div>
      )}
      {state.editedOutside && (
        <p className="build-note">The file was changed with an editor: this is what it says now.</p>
      )}
      {state.silence && (
        <ProblemNotice error={new ProblemError(0, state.silence)} retry={() => void session.validate()} />
      )}
      <section className="build-sentence" aria-label="In plain English">
        {check.sentence ? (
          <p>{check.sentence}</p>
        ) : (
          <p className="muted">What the strategy does is said here as soon as nothing is wrong with it.</p>
        )}
        <Faults
          check={check}
          graph={draft.graph}
          form={draft.form}
          isChecking={state.checking}
          isAsked={isAsked}
          onGo={go}
        />
      </section>
      <div className="build-panes">
        {!isLocked && <PalettePane palette={palette} onAdd={(kind) => add(kind)} />}
        <Suspense fallback={<p className="muted build-canvas">Loading the graph …</p>}>
          <Canvas
            session={session}
            graph={draft.graph}
            kinds={kinds}
            check={check}
            isLocked={isLocked}
            selected={selected}
            viewport={state.viewport}
            onSelect={(id) => {
              setSelected(id)
              if (id && !isLocked && !['block'].includes(session.state.pane)) setPane('block')
            }}
            onOpen={open}
            onDropBlock={(op, place) => {
              const kind = kinds.get(op)
              if (kind) add(kind, place)
            }}
            control={canvas}
          />
        </Suspense>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: Escape leads back from a field to its block */}
        <div ref={side} className="build-side" onKeyDown={focusChosen}>
          <Tabs value={pane} onChange={setPane} keepMounted={false}>
            <Tabs.List>
              {!isLocked && <Tabs.Tab value="block">Block</Tabs.Tab>}
              {!isLocked && <Tabs.Tab value="exits">Exits</Tabs.Tab>}
              {!isLocked && <Tabs.Tab value="strategy">Strategy</Tabs.Tab>}
              <Tabs.Tab value="text">Text</Tabs.Tab>
              <Tabs.Tab value="json">JSON</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="block">
              <BlockForm
                session={session}
                graph={draft.graph}
                kinds={kinds}
                check={check}
                id={selected}
                onGone={() => setSelected(null)}
              />
            </Tabs.Panel>
            <Tabs.Panel value="exits">
              <ExitsForm session={session} graph={draft.graph} check={check} kinds={palette.exits} />
            </Tabs.Panel>
            <Tabs.Panel value="strategy">
              <StrategyForm session={session} graph={draft.graph} check={check} />
            </Tabs.Panel>
            <Tabs.Panel value="text">
              <CodePane
                label="Text of the strategy"
                value={draft.text}
                faults={draft.form === 'text' ? check.problems : []}
                isLocked={isLocked}
                onChange={(text) => session.editText(text)}
                onUndo={(isBack) => (isBack ? session.undo() : session.redo())}
                area={area}
              />
            </Tabs.Panel>
            <Tabs.Panel value="json">
              <CodePane
                label="JSON of the strategy"
                value={draft.tree}
                faults={draft.form === 'json' ? check.problems : []}
                isLocked={isLocked}
                onChange={(tree) => session.editTree(tree)}
                onUndo={(isBack) => (isBack ? session.undo() : session.redo())}
                area={area}
              />
            </Tabs.Panel>
          </Tabs>
        </div>
      </div>
      {tested !== null && <BacktestPlace text={tested} />}
      <DeployDialog
        name={state.name}
        title={draft.graph.name}
        isOpen={isDeploying}
        onClose={() => setDeploying(false)}
      />
    </div>
  )
}

function putCaret(area: HTMLTextAreaElement | null, line: number, column: number) {
  if (!area) return
  const before = area.value.split('\n').slice(0, line - 1)
  const at = before.reduce((sum, each) => sum + each.length + 1, 0) + column - 1
  area.focus()
  area.setSelectionRange(at, at)
}
