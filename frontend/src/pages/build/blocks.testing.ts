import type { BlockKind, Check, Field, Graph, Kinds, Port } from './types'

/** A few kinds of blocks as the palette has them, for tests of what edits and draws them. */

const port = (name: string, word: string): Port =>
  word === 'B'
    ? { name, kind: 'condition', unit: '' }
    : word === 'P'
      ? { name, kind: 'position', unit: '' }
      : { name, kind: 'series', unit: word }

const field = (name: string, value: number): Field => ({
  name,
  symbol: name,
  kind: name.startsWith('w') ? 'w' : 'k',
  meaning: '',
  default: value,
  least: 1,
  most: 5000,
  whole: name.startsWith('w'),
  choices: [],
})

const kind = (op: string, group: string, inputs: string[], result: string, fields: Field[] = []): BlockKind => ({
  op,
  group,
  usage: op,
  meaning: op,
  formula: '',
  example: '',
  source: '',
  warm_up: '',
  needs: [],
  stands_for: null,
  inputs: inputs.map((word, index) => port('xyz'[index] ?? '', word)),
  result: port('result', result),
  parameters: fields,
})

export const KINDS: Kinds = new Map(
  [
    kind('close', 'inputs', [], 'px'),
    kind('volume', 'inputs', [], 'qty'),
    kind('ext', 'inputs', [], 'num', [{ ...field('name', 0), kind: 'name', default: 'vix' }]),
    kind('const', 'inputs', [], 'num', [field('k', 1)]),
    kind('ema', 'recursive', ['d'], 'd', [field('w', 20)]),
    kind('gt', 'logic', ['d', 'd'], 'B'),
    kind('and', 'logic', ['B', 'B'], 'B'),
    kind('where', 'logic', ['B', 'd', 'd'], 'd'),
    kind('long_only', 'position', ['num'], 'P'),
    kind('gate', 'position', ['P', 'B'], 'P', [field('k', 0)]),
  ].map((each) => [each.op, each]),
)

/** `long_only(where(close > ema(close, 20), 1, 0))`, its leaves folded. */
export const GRAPH: Graph = {
  name: 'above the mean',
  exits: { stop: { percent: 10 } },
  nodes: [
    { id: 'c', op: 'close' },
    { id: 'm', op: 'ema', parameters: { w: 20 } },
    { id: 'g', op: 'gt' },
    { id: 'one', op: 'const', parameters: { k: 1 } },
    { id: 'zero', op: 'const', parameters: { k: 0 } },
    { id: 'w', op: 'where' },
    { id: 'p', op: 'long_only' },
  ],
  edges: [
    { from: 'c', to: 'm', port: 'x' },
    { from: 'c', to: 'g', port: 'x' },
    { from: 'm', to: 'g', port: 'y' },
    { from: 'g', to: 'w', port: 'x' },
    { from: 'one', to: 'w', port: 'y' },
    { from: 'zero', to: 'w', port: 'z' },
    { from: 'w', to: 'p', port: 'x' },
  ],
  target: 'p',
  layout: {},
}

export const CHECK: Check = {
  valid: true,
  problems: [],
  name: GRAPH.name,
  text: 'the text',
  tree: 'the tree',
  graph: GRAPH,
  flows: {},
  content_hash: 'abc',
  family_hash: 'def',
  sentence: 'It is long.',
  explanation: 'It is long.',
  warm_up: 20,
}
