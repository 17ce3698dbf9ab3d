import { Handle, type Node, type NodeProps, Position } from '@xyflow/react'
import { Flag, TriangleAlert } from 'lucide-react'
import { memo } from 'react'
import { Words } from '../../parts/Words'
import { flowWord } from './fits'
import type { Input, Shown } from './view'

export type FlowNode = Node<Shown, 'block'>

/** A block: what it is, a line for each input with its handle, and its parameters. Drawn again only for other data. */
export const BlockNode = memo(
  function BlockNode({ data, selected }: NodeProps<FlowNode>) {
    const { block, kind, inputs, flow, isTarget, faults, isLocked } = data
    const classes = ['build-block', selected && 'is-selected', faults.length > 0 && 'is-wrong']
      .filter(Boolean)
      .join(' ')
    const result = flow?.kind ?? kind?.result.kind ?? 'series'
    return (
      <div className={classes} data-group={kind?.group}>
        <div className="build-block-head">
          <strong>{block.label || block.op}</strong>
          {block.label && <span className="build-block-op">{block.op}</span>}
          {isTarget && (
            <span className="build-block-target" title="The position that the strategy holds">
              <Flag size={11} aria-hidden="true" /> held
            </span>
          )}
        </div>
        {inputs.map((input) => (
          <InputRow key={input.port.name} input={input} isLocked={isLocked} />
        ))}
        {(kind?.parameters ?? []).map((field) => (
          <div key={field.name} className="build-block-row">
            <span className="build-block-key">{field.symbol}</span>
            <span className="build-block-value">{String(block.parameters?.[field.name] ?? '—')}</span>
          </div>
        ))}
        {faults.length > 0 && (
          <div className="build-block-fault" title={faults.join('\n')}>
            <TriangleAlert size={12} aria-hidden="true" /> {faults.length > 1 && `${faults.length}: `}
            <Words text={faults[0] ?? ''} />
          </div>
        )}
        {flow && <span className="build-block-flow">{flowWord(flow)}</span>}
        <Handle
          type="source"
          id="result"
          position={Position.Right}
          className={`build-handle is-${result}`}
          isConnectable={!isLocked}
          title={flowWord(flow ?? undefined) || result}
        />
      </div>
    )
  },
  (one, other) => one.data === other.data && one.selected === other.selected,
)

function InputRow({ input, isLocked }: { input: Input; isLocked: boolean }) {
  const { port, folded, fault } = input
  return (
    <div className={fault ? 'build-block-row is-wrong' : 'build-block-row'}>
      <Handle
        type="target"
        id={port.name}
        position={Position.Left}
        className={`build-handle is-${port.kind}`}
        isConnectable={!isLocked}
        title={`${port.name}: ${port.kind}`}
      />
      <span className="build-block-key">{port.name}</span>
      {folded !== null && <span className="build-block-leaf">{folded}</span>}
      {fault && <TriangleAlert size={12} aria-hidden="true" />}
    </div>
  )
}
