import type { Schema } from '../../api/client'

export type Graph = Schema<'Graph'>
export type Block = Schema<'GraphNode'>
export type Edge = Schema<'GraphEdge'>
export type Flow = Schema<'Flow'>
export type Fault = Schema<'Fault'>
export type Check = Schema<'Check'>
export type BlockKind = Schema<'PaletteBlock'>
export type Port = Schema<'PalettePort'>
export type Field = Schema<'PaletteField'>
export type ExitKind = Schema<'PaletteExit'>
export type ExitSet = Schema<'ExitSet'>
export type Distance = Schema<'ExitDistance'>
export type Target = Schema<'ExitTarget'>
export type Palette = Schema<'Palette'>
export type Form = Schema<'SaveRequest'>['form']
export type Viewport = Schema<'Viewport'>
export type Place = [number, number]
export type Kinds = ReadonlyMap<string, BlockKind>

/** What undo goes back through: the three forms, and which of them was edited last. */
export interface Draft {
  graph: Graph
  text: string
  tree: string
  form: Form
}

export const kindsOf = (palette: Palette): Kinds => new Map(palette.blocks.map((block) => [block.op, block]))

export const placeOf = (graph: Graph, id: string): Place | undefined => {
  const place = graph.layout?.[id]
  return place && place.length === 2 ? [place[0] ?? 0, place[1] ?? 0] : undefined
}
