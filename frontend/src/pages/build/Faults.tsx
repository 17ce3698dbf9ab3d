import { CircleCheck, TriangleAlert } from 'lucide-react'
import { counted } from '../../format'
import { Words } from '../../parts/Words'
import type { Check, Fault, Form, Graph } from './types'
import { blockName, faultText } from './view'

interface Props {
  check: Check
  graph: Graph
  form: Form
  isChecking: boolean
  isAsked: boolean
  onGo: (fault: Fault) => void
}

const FORMS: Record<Form, string> = { text: 'text', json: 'JSON', graph: 'graph' }

/** What is wrong, each with a way to its place; or that nothing is. */
export function Faults({ check, graph, form, isChecking, isAsked, onGo }: Props) {
  if (check.valid)
    return (
      <p className="build-verdict" role="status">
        <CircleCheck size={14} aria-hidden="true" className="gain" />
        <span>
          {isAsked ? 'Valid' : 'No problems'}: {counted(check.graph?.nodes.length ?? 0, 'operator')}, decides after{' '}
          {counted(check.warm_up ?? 0, 'bar')} of history{isChecking ? ' (checking …)' : ''}
        </span>
      </p>
    )
  const others = form === 'graph' ? 'The text and the JSON stay' : 'The graph stays'
  return (
    <div className="build-faults" role="status">
      <p>
        <TriangleAlert size={14} aria-hidden="true" className="danger" />{' '}
        <strong>{counted(check.problems.length, 'problem')}</strong> in the {FORMS[form]}. {others} as{' '}
        {form === 'graph' ? 'they were' : 'it was'} until {check.problems.length === 1 ? 'it is' : 'they are'} mended.
      </p>
      <ul>
        {check.problems.slice(0, 8).map((fault, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same words may stand twice
          <li key={index}>
            <button type="button" onClick={() => onGo(fault)}>
              {placeWords(fault, graph)}
              <Words text={faultText(fault)} />
            </button>
          </li>
        ))}
      </ul>
      {check.problems.length > 8 && <p className="muted">and {check.problems.length - 8} more</p>}
    </div>
  )
}

function placeWords(fault: Fault, graph: Graph): string {
  const block = graph.nodes.find((node) => node.id === fault.node)
  if (block) return `${blockName(block)}${fault.port ? `, port ${fault.port}` : ''}: `
  if (fault.line) return `Line ${fault.line}${fault.column ? `, column ${fault.column}` : ''}: `
  return fault.where ? `${fault.where}: ` : ''
}
