import { NativeSelect } from '@mantine/core'
import { isFolded, type Source, sourceOf } from './edit'
import { flowWord, refusal, unitWords } from './fits'
import { NumberField } from './NumberField'
import type { Block, Flow, Graph, Kinds, Port } from './types'
import { blockName } from './view'

interface Props {
  graph: Graph
  kinds: Kinds
  flows: Readonly<Record<string, Flow>>
  block: Block
  port: Port
  error?: string
  onChange: (source: Source) => void
}

const FIXED = new Set(['px', 'qty', 'usd', 'num'])
const wish = (port: Port) =>
  port.kind !== 'series'
    ? `a ${port.kind}`
    : FIXED.has(port.unit)
      ? unitWords(port.unit)
      : `a series (unit ${port.unit})`

/** Where an input comes from: a block, an input of the market, or a number. What does not fit is not offered. */
export function PortField({ graph, kinds, flows, block, port, error, onChange }: Props) {
  const source = sourceOf(graph, block.id, port.name)
  const isNumber = source !== undefined && source.op === 'const' && isFolded(graph, source, kinds)
  const isInput = source !== undefined && !isNumber && isFolded(graph, source, kinds)
  const blocks = graph.nodes.filter(
    (node) =>
      !isFolded(graph, node, kinds) &&
      (node.id === source?.id || refusal(graph, flows, kinds, node.id, block.id, port.name) === null),
  )
  const inputs =
    port.kind === 'series'
      ? [...kinds.values()].filter(
          (kind) => kind.group === 'inputs' && !kind.parameters.length && isFit(port, kind.result),
        )
      : []
  const value = !source ? '' : isNumber ? 'number' : isInput ? `input ${source.op}` : `block ${source.id}`
  return (
    <>
      <NativeSelect
        size="xs"
        label={`${port.name}: ${wish(port)}`}
        error={error}
        value={value}
        onChange={(event) => onChange(chosen(event.currentTarget.value))}
        data={[
          { value: '', label: 'not connected' },
          ...(port.kind === 'series' ? [{ value: 'number', label: 'a number' }] : []),
          ...(inputs.length
            ? [{ group: 'Market', items: inputs.map((kind) => ({ value: `input ${kind.op}`, label: kind.op })) }]
            : []),
          ...(blocks.length
            ? [
                {
                  group: 'Blocks',
                  items: blocks.map((node) => ({
                    value: `block ${node.id}`,
                    label: `${blockName(node)} [${node.id}]`,
                  })),
                },
              ]
            : []),
        ]}
      />
      {isNumber && (
        <NumberField
          label={`Number at ${port.name}`}
          value={Number(source.parameters?.k ?? 0)}
          onChange={(number) => onChange({ from: 'number', value: number })}
        />
      )}
      {source && flows[source.id] && <span className="build-unit">carries {flowWord(flows[source.id])}</span>}
    </>
  )
}

const isFit = (port: Port, result: Port) => !FIXED.has(port.unit) || port.unit === result.unit

function chosen(value: string): Source {
  if (value === 'number') return { from: 'number', value: 1 }
  if (value.startsWith('input ')) return { from: 'input', op: value.slice(6) }
  if (value.startsWith('block ')) return { from: 'block', id: value.slice(6) }
  return { from: 'nothing' }
}
