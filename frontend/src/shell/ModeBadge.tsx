import { useStatusOf } from '../live/status'

/** Whose money it is, on every page. There is no mode in which it is real money. */
export function ModeBadge() {
  const mode = useStatusOf((status) => status.mode, null)
  return (
    <span className="mode" data-testid="mode">
      PAPER{mode === 'sample' && ' · SAMPLE MARKET'}
    </span>
  )
}
