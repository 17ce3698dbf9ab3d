import { CopyButton } from '../../parts/CopyButton'
import { Empty } from '../../parts/Empty'

const STEPS = [
  ['clawd keys new alice', 'makes a key; its passphrase is asked for twice'],
  ['clawd keys trust alice', 'lets it approve, on the machine that trades'],
  ['CLAWD_APPROVAL_NOTIONAL=1000 clawd trade …', 'holds orders above 1,000 until somebody has signed'],
] as const

/** Nothing has ever waited: what this page is for, and how it begins. */
export function NothingWaits({ keys, inForce }: { keys: boolean; inForce: boolean }) {
  if (inForce && keys)
    return (
      <Empty title="Nothing waits">
        Orders above your limits wait here until enough people have signed exactly that order. None has yet.
      </Empty>
    )
  return (
    <Empty title="No order waits for a person">
      Orders above a limit can wait here until as many people as you ask for have signed exactly that order with their
      own keys. No limit is set, so nothing waits. To begin, in a terminal:
      <span className="approvals-steps">
        {STEPS.map(([command, what]) => (
          <span key={command}>
            <code>{command}</code>
            <CopyButton text={command} label={`Copy ${command}`} />
            <span className="muted">{what}</span>
          </span>
        ))}
      </span>
    </Empty>
  )
}
