import '@xyflow/react/dist/style.css'
import { useComputedColorScheme } from '@mantine/core'
import {
  applyNodeChanges,
  Background,
  type Connection,
  ControlButton,
  Controls,
  MiniMap,
  type NodeChange,
  ReactFlow,
  ReactFlowProvider,
  useNodesInitialized,
  useReactFlow,
} from '@xyflow/react'
import { WandSparkles } from 'lucide-react'
import { type DragEvent, type KeyboardEvent, type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import { BackEdge, type FlowEdge } from './BackEdge'
import { BlockNode, type FlowNode } from './BlockNode'
import { connected, disconnected, moved, removed } from './edit'
import { refusal } from './fits'
import { arranged, WIDTH } from './layout'
import type { Session } from './session'
import type { Check, Graph, Kinds, Place, Viewport } from './types'
import { blockName, inReadingOrder, type ShownBlock, shownGraph } from './view'

/** What the rest of the page asks of the canvas. */
export interface CanvasControl {
  centre(): Place
  focus(id: string): void
  fit(): void
}

interface Props {
  session: Session
  graph: Graph
  kinds: Kinds
  check: Check
  isLocked: boolean
  selected: string | null
  viewport: Viewport | null
  onSelect: (id: string | null) => void
  onOpen: (id: string) => void
  onDropBlock: (op: string, place: Place) => void
  control: RefObject<CanvasControl | null>
}

export default function Canvas(props: Props) {
  return (
    <ReactFlowProvider>
      <Drawing {...props} />
    </ReactFlowProvider>
  )
}

const NODE_TYPES = { block: BlockNode }
const EDGE_TYPES = { back: BackEdge }
/** Beside the blocks there is room for the buttons and for what the last wire carries. */
const FIT = {
  padding: { left: '48px', right: '56px', top: '14px', bottom: '14px' },
  minZoom: 0.2,
  maxZoom: 1,
} as const
/** Milliseconds that a refusal stays to be read. */
const READING = 8_000

function Drawing({ session, graph, kinds, check, isLocked, selected, viewport, ...on }: Props) {
  const flow = useReactFlow<FlowNode>()
  const colours = useComputedColorScheme('dark')
  const before = useRef<ReadonlyMap<string, ShownBlock>>(new Map())
  const frame = useRef<HTMLDivElement>(null)
  const [nodes, setNodes] = useState<FlowNode[]>([])
  const [chosenEdges, setChosenEdges] = useState<ReadonlySet<string>>(new Set())
  const [refused, setRefused] = useState('')
  /** Whether a person has touched it: what the page does by itself is not kept as a view of theirs. */
  const isTouched = useRef(false)

  const shown = useMemo(() => {
    const found = shownGraph(graph, kinds, check.flows, check.problems, before.current, isLocked)
    before.current = new Map(found.blocks.map((block) => [block.id, block]))
    return found
  }, [graph, kinds, check, isLocked])

  useEffect(() => {
    setNodes((old) => {
      const known = new Map(old.map((node) => [node.id, node]))
      const isNew = selected !== null && !known.has(selected)
      return inReadingOrder(shown.blocks).map((block) => {
        const old = known.get(block.id)
        return asNode(block, old, isNew ? block.id === selected : (old?.selected ?? false))
      })
    })
  }, [shown, selected])

  const edges = useMemo(
    () =>
      shown.edges.map(
        (edge): FlowEdge => ({
          id: edge.id,
          source: edge.from,
          target: edge.to,
          sourceHandle: 'result',
          targetHandle: edge.port,
          type: edge.isBack ? 'back' : 'default',
          data: { corridor: edge.corridor, lane: edge.lane },
          className: `build-edge is-${edge.kind ?? 'unknown'}`,
          selected: chosenEdges.has(edge.id),
          ariaLabel: `From ${edge.from} to port ${edge.port} of ${edge.to}${edge.word ? `, ${edge.word}` : ''}`,
        }),
      ),
    [shown, chosenEdges],
  )

  useEffect(() => {
    on.control.current = {
      centre: () => {
        const box = frame.current?.getBoundingClientRect()
        const at = flow.screenToFlowPosition({
          x: (box?.left ?? 0) + (box?.width ?? 0) / 2,
          y: (box?.top ?? 0) + (box?.height ?? 0) / 3,
        })
        return [Math.round(at.x - WIDTH / 2), Math.round(at.y)]
      },
      focus: (id) => {
        const block = before.current.get(id)
        if (!block) return
        setNodes((old) => old.map((node) => ({ ...node, selected: node.id === id })))
        if (!isInSight(block, flow.getViewport(), frame.current)) {
          const zoom = Math.max(flow.getZoom(), 0.75)
          void flow.setCenter(block.x + WIDTH / 2, block.y + block.height / 2, { zoom })
        }
        frame.current?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.focus()
      },
      fit: () => void flow.fitView(FIT),
    }
  }, [flow, on.control])

  // A graph that nobody has looked at yet is fitted into its frame as soon as its blocks have their sizes.
  const isMeasured = useNodesInitialized()
  const isFitted = useRef(viewport !== null || graph.nodes.length === 0)
  useEffect(() => {
    if (!isMeasured || isFitted.current) return
    isFitted.current = true
    const frames = requestAnimationFrame(() => void flow.fitView(FIT))
    return () => cancelAnimationFrame(frames)
  }, [isMeasured, flow])

  useEffect(() => {
    if (!refused) return
    const timer = setTimeout(() => setRefused(''), READING)
    return () => clearTimeout(timer)
  }, [refused])

  const change = (changes: NodeChange<FlowNode>[]) => {
    setNodes((old) =>
      applyNodeChanges(
        changes.filter((each) => each.type !== 'remove'),
        old,
      ),
    )
    const places = new Map<string, Place>()
    for (const each of changes)
      if (each.type === 'position' && each.position && !each.dragging)
        places.set(each.id, [Math.round(each.position.x), Math.round(each.position.y)])
    if (places.size) session.editGraph('move', (now) => moved(now, places))
    const chosen = changes.find((each) => each.type === 'select' && each.selected)
    if (chosen?.type === 'select') on.onSelect(chosen.id)
    else if (changes.some((each) => each.type === 'select' && each.id === selected)) on.onSelect(null)
  }

  const reason = (connection: { source: string; target: string; targetHandle?: string | null }) =>
    refusal(graph, check.flows, kinds, connection.source, connection.target, connection.targetHandle ?? '')

  const press = (event: KeyboardEvent) => {
    const block = (event.target as HTMLElement).closest<HTMLElement>('.react-flow__node')
    if (event.key === 'Enter' && block?.dataset.id) on.onOpen(block.dataset.id)
  }

  const drop = (event: DragEvent) => {
    const op = event.dataTransfer.getData('application/x-clawd-block')
    if (!op || isLocked) return
    event.preventDefault()
    const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY })
    on.onDropBlock(op, [Math.round(at.x - WIDTH / 2), Math.round(at.y - 14)])
  }

  return (
    <section
      ref={frame}
      className="build-canvas"
      aria-label="Graph of the strategy"
      onKeyDown={press}
      onPointerDownCapture={() => {
        isTouched.current = true
      }}
      onKeyDownCapture={() => {
        isTouched.current = true
      }}
      onWheelCapture={() => {
        isTouched.current = true
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        colorMode={colours}
        onNodesChange={change}
        onEdgesChange={(changes) =>
          setChosenEdges((old) => {
            const now = new Set(old)
            for (const each of changes)
              if (each.type === 'select') each.selected ? now.add(each.id) : now.delete(each.id)
            return now
          })
        }
        onConnect={(made: Connection) =>
          session.editGraph('connect', (now) =>
            connected(now, made.source, made.target, made.targetHandle ?? '', kinds),
          )
        }
        isValidConnection={(made) => reason(made) === null}
        onConnectEnd={(_, state) => {
          const [one, other] = [state.fromHandle, state.toHandle]
          if (!one || !other || state.isValid) return
          const [source, target] = one.type === 'source' ? [one, other] : [other, one]
          const why =
            source.type === target.type
              ? 'an edge leads from a result to an input'
              : reason({ source: source.nodeId, target: target.nodeId, targetHandle: target.id })
          setRefused(why ?? '')
        }}
        onDelete={(gone) => {
          const ids = new Set(gone.nodes.map((node) => node.id))
          const cut = gone.edges
            .filter((edge) => !ids.has(edge.source) && !ids.has(edge.target))
            .map((edge) => ({ from: edge.source, to: edge.target, port: edge.targetHandle ?? '' }))
          session.editGraph('delete', (now) => {
            const left = cut.length ? disconnected(now, cut, kinds) : now
            return ids.size ? removed(left, ids, kinds) : left
          })
          setChosenEdges(new Set())
        }}
        onMoveEnd={(_, at) => {
          if (isTouched.current) session.look({ viewport: { x: at.x, y: at.y, zoom: at.zoom } })
        }}
        defaultViewport={viewport ?? { x: 40, y: 40, zoom: 0.8 }}
        fitViewOptions={FIT}
        minZoom={0.2}
        maxZoom={2}
        deleteKeyCode={isLocked ? null : ['Delete', 'Backspace']}
        nodesDraggable={!isLocked}
        nodesConnectable={!isLocked}
        edgesFocusable={!isLocked}
        multiSelectionKeyCode="Shift"
        proOptions={{ hideAttribution: false }}
      >
        <Background gap={20} />
        <Controls showInteractive={false}>
          {!isLocked && (
            <ControlButton
              title="Arrange the blocks anew"
              aria-label="Arrange the blocks anew"
              onClick={() => session.editGraph('arrange', (now) => moved(now, arranged(now, kinds)))}
            >
              <WandSparkles />
            </ControlButton>
          )}
        </Controls>
        <MiniMap pannable zoomable ariaLabel="Small map of the graph" className="build-minimap" />
      </ReactFlow>
      <div role="status" className={refused ? 'build-refused' : 'build-refused is-empty'}>
        {refused && `Not connected: ${refused}.`}
      </div>
      {graph.nodes.length === 0 && (
        <p className="build-canvas-empty">
          Add blocks from the list on the left: what the market gives, what is made of it, and a position at the end.
        </p>
      )}
    </section>
  )
}

function isInSight(block: ShownBlock, { x, y, zoom }: Viewport, frame: HTMLElement | null): boolean {
  const [left, top] = [block.x * zoom + x, block.y * zoom + y]
  const { clientWidth, clientHeight } = frame ?? { clientWidth: 0, clientHeight: 0 }
  return left >= 0 && top >= 0 && left + WIDTH * zoom <= clientWidth && top + block.height * zoom <= clientHeight
}

function asNode(block: ShownBlock, old: FlowNode | undefined, isSelected: boolean): FlowNode {
  const isPlaced = old?.position.x === block.x && old.position.y === block.y
  if (old && isPlaced && old.data === block.shown && (old.selected ?? false) === isSelected) return old
  const wrong = block.shown.faults.length ? `. Wrong: ${block.shown.faults.join('. ')}` : ''
  return {
    ...old,
    id: block.id,
    type: 'block',
    position: { x: block.x, y: block.y },
    data: block.shown,
    selected: isSelected,
    // What is wrong with a block may be longer than its place.
    zIndex: block.shown.faults.length ? 10 : 0,
    ariaLabel: `${blockName(block.shown.block)}${wrong}`,
  }
}
