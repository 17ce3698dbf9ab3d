import { BaseEdge, type Edge, type EdgeProps, getSmoothStepPath } from '@xyflow/react'

export type FlowEdge = Edge<{ corridor: number | null; lane: number }>

const LANES = [0, -5, 5, -9] as const

/** An edge that leads to the left: it goes between the blocks, where there is a way, and not across them. */
export function BackEdge({ data, ...edge }: EdgeProps<FlowEdge>) {
  // Several that take one way lie side by side: to the right of each other, above and below.
  const lane = (data?.lane ?? 0) % 4
  const centerY = data?.corridor == null ? undefined : data.corridor + (LANES[lane] ?? 0)
  const [path] = getSmoothStepPath({ ...edge, centerY, borderRadius: 8, offset: 14 + 5 * lane })
  return <BaseEdge id={edge.id} path={path} interactionWidth={16} />
}
