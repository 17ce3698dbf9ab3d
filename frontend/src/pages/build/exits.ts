import type { ExitKind, ExitSet, Target } from './types'

const NAMES: Record<string, string> = {
  stop: 'Stop',
  trail: 'Trailing stop',
  chandelier: 'Chandelier',
  break_even: 'Break-even',
  take: 'Profit targets',
  time: 'Time',
  cooldown: 'Cooldown',
}

export const exitName = (kind: ExitKind): string => NAMES[kind.key] ?? kind.key.replaceAll('_', ' ')

export const targetsOf = (take: ExitSet['take']): Target[] => (!take ? [] : Array.isArray(take) ? take : [take])

/** Targets as a file says them: one alone as it is, several each with its share. */
export function withTargets(targets: readonly Target[]): ExitSet['take'] | undefined {
  if (targets.length === 0) return undefined
  if (targets.length === 1) return targets[0]
  const even = Math.floor(100 / targets.length) / 100
  return targets.map((target) =>
    target.share === undefined || target.share === null ? { ...target, share: even } : target,
  )
}

/** One target more: it gets what the others leave, and they share evenly where they leave nothing. */
export function oneMore(targets: readonly Target[], example: Target): Target[] {
  const left = 1 - targets.reduce((sum, target) => sum + (target.share ?? 1), 0)
  const count = targets.length + 1
  if (left > 0.005) return [...targets, { ...example, share: Math.round(left * 100) / 100 }]
  const even = Math.floor(100 / count) / 100
  return [...targets, example].map((target) => ({ ...target, share: even }))
}
