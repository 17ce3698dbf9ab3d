import { madeOf } from './edit'
import type { Flow, Graph, Kinds, Port } from './types'

const FIXED = new Set(['px', 'qty', 'usd', 'num'])
const WORDS: Record<string, string> = { px: 'a price', qty: 'a volume', usd: 'a dollar volume', num: 'a pure number' }
const KINDS = { series: 'a series', condition: 'a condition', position: 'a position' } as const

export const unitWords = (unit: string): string => WORDS[unit] ?? `a series of unit ${unit}`

export const flowWords = (flow: Flow): string => (flow.kind === 'series' ? unitWords(flow.unit) : KINDS[flow.kind])

/** What a wire carries, in a word: the unit of a series, else its kind. */
export const flowWord = (flow: Flow | undefined): string =>
  !flow ? '' : flow.kind === 'series' ? flow.unit : flow.kind === 'condition' ? 'yes/no' : 'position'

/** Why a result cannot lead to a port; null where it can, as far as is known. */
export function refusal(
  graph: Graph,
  flows: Readonly<Record<string, Flow>>,
  kinds: Kinds,
  from: string,
  to: string,
  port: string,
): string | null {
  const source = graph.nodes.find((node) => node.id === from)
  const goal = graph.nodes.find((node) => node.id === to)
  const result = source && kinds.get(source.op)?.result
  const inputs = (goal && kinds.get(goal.op)?.inputs) ?? []
  const wanted = inputs.find((each) => each.name === port)
  if (!source || !goal || !result || !wanted) return 'there is no such port'
  if (madeOf(graph, from).has(to)) return 'the edges would go round in a circle'
  if (result.kind !== wanted.kind) {
    const advice = ADVICE[`${result.kind} ${wanted.kind}`]
    return `${goal.op} needs ${KINDS[wanted.kind]} here, and ${source.op} gives ${KINDS[result.kind]}${advice ? `: ${advice}` : ''}`
  }
  if (wanted.kind !== 'series' || isZero(graph, from)) return null
  const given = flows[from]?.unit ?? (FIXED.has(result.unit) ? result.unit : undefined)
  const needed = neededUnit(graph, flows, inputs, to, wanted)
  if (!given || !needed || given === needed) return null
  const advice = needed === 'num' ? ': divide it by something of the same unit' : ''
  return `${goal.op} needs ${unitWords(needed)} here, and ${source.op} gives ${unitWords(given)}${advice}`
}

const ADVICE: Record<string, string> = {
  'series condition': 'compare it with something first',
  'series position': 'make a position of it with long_short or long_only',
  'condition position': 'make a position of it with signal_if',
  'condition series': 'make numbers of it with where',
}

/** The unit that a port must have: its own, or that of another port with the same letter. */
function neededUnit(
  graph: Graph,
  flows: Readonly<Record<string, Flow>>,
  inputs: readonly Port[],
  to: string,
  wanted: Port,
): string | undefined {
  if (FIXED.has(wanted.unit)) return wanted.unit
  for (const other of inputs) {
    if (other.name === wanted.name || other.unit !== wanted.unit) continue
    const edge = graph.edges.find((each) => each.to === to && each.port === other.name)
    if (edge && !isZero(graph, edge.from) && flows[edge.from]?.unit) return flows[edge.from]?.unit
  }
  return undefined
}

/** Zero fits every unit. */
const isZero = (graph: Graph, id: string) => {
  const block = graph.nodes.find((node) => node.id === id)
  return block?.op === 'const' && block.parameters?.k === 0
}
