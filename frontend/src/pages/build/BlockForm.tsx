import { Button, TextInput } from '@mantine/core'
import { Trash2 } from 'lucide-react'
import { Words } from '../../parts/Words'
import { folded, isFoldable, removed, withBlock, withParameter, withSource } from './edit'
import { flowWords } from './fits'
import { ParameterField } from './ParameterField'
import { PortField } from './PortField'
import type { Session } from './session'
import type { Check, Graph, Kinds } from './types'
import { faultText } from './view'

interface Props {
  session: Session
  graph: Graph
  kinds: Kinds
  check: Check
  id: string | null
  onGone: () => void
}

/** The chosen block: its inputs, its parameters, its name as a part, and what it means. */
export function BlockForm({ session, graph, kinds, check, id, onGone }: Props) {
  const block = graph.nodes.find((node) => node.id === id)
  if (!block)
    return (
      <p className="muted">
        Choose a block to see what it does and to change it. Tab goes from block to block, Enter opens one here, arrow
        keys move it, Delete takes it out.
      </p>
    )
  const kind = kinds.get(block.op)
  const faults = check.problems.filter((fault) => fault.node === block.id)
  const at = (key: 'port' | 'parameter', name: string) => {
    const fault = faults.find((each) => each[key] === name)
    return fault && faultText(fault)
  }
  const rest = faults.filter((fault) => !fault.port && !fault.parameter)
  const flow = check.flows[block.id]
  return (
    <form className="build-form" aria-label={`Block ${block.op}`} onSubmit={(event) => event.preventDefault()}>
      <h3>{kind?.usage ?? block.op}</h3>
      {kind && <p>{kind.meaning}.</p>}
      {rest.map((fault) => (
        <p key={fault.what} className="build-form-fault">
          <Words text={`${faultText(fault)}.`} />
        </p>
      ))}
      {kind?.inputs.map((port) => (
        <PortField
          key={`${block.id} ${port.name}`}
          graph={graph}
          kinds={kinds}
          flows={check.flows}
          block={block}
          port={port}
          error={at('port', port.name)}
          onChange={(source) =>
            session.editGraph(`source ${block.id} ${port.name}`, (now) =>
              withSource(now, block.id, port.name, source, kinds),
            )
          }
        />
      ))}
      {kind?.parameters.map((field) => (
        <ParameterField
          key={`${block.id} ${field.name}`}
          field={field}
          value={block.parameters?.[field.name]}
          error={at('parameter', field.name)}
          onChange={(value) =>
            session.editGraph(`parameter ${block.id} ${field.name}`, (now) =>
              withParameter(now, block.id, field.name, value),
            )
          }
        />
      ))}
      {kind?.needs.length ? <p className="muted">It needs {kind.needs.join('; ')}.</p> : null}
      <TextInput
        size="xs"
        label="Name of this part"
        description="letters, digits and _; it stands under [let] in the text"
        value={block.label ?? ''}
        maxLength={80}
        error={at('parameter', 'label')}
        onChange={(event) => {
          const label = event.currentTarget.value
          session.editGraph(`label ${block.id}`, (now) => withBlock(now, block.id, { label }))
        }}
      />
      {flow && <p className="muted">It yields {flowWords(flow)}.</p>}
      <div className="build-form-row">
        {graph.target !== block.id && kind?.result.kind === 'position' && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => session.editGraph('target', (now) => ({ ...now, target: block.id }))}
          >
            Hold this position
          </Button>
        )}
        {isFoldable(block, kind) && graph.edges.some((edge) => edge.from === block.id) && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              session.editGraph('fold', (now) => folded(now, block.id, null))
              onGone()
            }}
          >
            Fold into the ports
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<Trash2 size={14} />}
          onClick={() => {
            session.editGraph('delete', (now) => removed(now, new Set([block.id]), kinds))
            onGone()
          }}
        >
          Take out
        </Button>
      </div>
      {kind && (
        <dl className="build-facts">
          {kind.formula && <Fact name="Formula" text={kind.formula} isCode />}
          {kind.stands_for && <Fact name="Stands for" text={kind.stands_for} isCode />}
          <Fact name="Example" text={kind.example} isCode />
          <Fact name="Warm-up" text={kind.warm_up} />
          {kind.source && <Fact name="Source" text={kind.source} />}
        </dl>
      )}
    </form>
  )
}

function Fact({ name, text, isCode }: { name: string; text: string; isCode?: boolean }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{isCode ? <code>{text}</code> : text}</dd>
    </>
  )
}
