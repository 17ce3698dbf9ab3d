import { Link } from 'react-router'
import { type AlertView, useAcknowledge } from './alerts'
import { MarketTime } from './MarketTime'
import { ProblemNotice } from './ProblemNotice'
import './alerts.css'
import { RightButton } from './RightButton'

const SIGNS: Record<AlertView['severity'], { sign: string; word: string }> = {
  info: { sign: 'i', word: 'For your information' },
  warn: { sign: '!', word: 'Warning' },
  danger: { sign: '■', word: 'Danger' },
}

/** An alert, and the button that says that it was seen. */
export function AlertRow({ alert }: { alert: AlertView }) {
  const seen = useAcknowledge()
  const { sign, word } = SIGNS[alert.severity]
  return (
    <li className={`alert-row severity-${alert.severity}`}>
      <span className="alert-sign" title={word}>
        <span aria-hidden>{sign}</span>
        <span className="hidden">{word}:</span>
      </span>
      <div>
        <div className="alert-text">{alert.text}</div>
        <div className="alert-about">
          <MarketTime at={alert.time} />
          {alert.agent && <Link to={`/fleet/${encodeURIComponent(alert.agent)}`}>{alert.agent}</Link>}
          {alert.acknowledged_by && <span>seen by {alert.acknowledged_by}</span>}
        </div>
        {seen.error && <ProblemNotice error={seen.error} />}
      </div>
      {alert.acknowledged_at === null && (
        <RightButton
          right="decide"
          size="compact-xs"
          variant="default"
          loading={seen.isPending}
          onClick={() => seen.mutate(alert)}
          aria-label={`I have seen: ${alert.text}`}
        >
          Seen
        </RightButton>
      )}
    </li>
  )
}
