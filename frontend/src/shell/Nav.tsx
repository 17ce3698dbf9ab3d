import { Link, useLocation } from 'react-router'
import { useStatusOf } from '../live/status'
import { isHere, PAGES } from './pages'

/** The way to the pages; narrow windows show signs alone, named for who cannot see them and on hover. */
export function Nav({ onGo }: { onGo?: () => void }) {
  const { pathname } = useLocation()
  const approvals = useStatusOf((status) => status.approvals ?? 0, 0)
  return (
    <ul className="nav-pages">
      {PAGES.map(({ to, name, Icon }) => (
        <li key={to}>
          <Link to={to} title={name} aria-current={isHere(to, pathname) ? 'page' : undefined} onClick={onGo}>
            <Icon size={16} aria-hidden />
            <span className="nav-name">{name}</span>
            {to === '/approvals' && approvals > 0 && (
              <span className="pill">
                {approvals}
                <span className="hidden"> waiting</span>
              </span>
            )}
          </Link>
        </li>
      ))}
    </ul>
  )
}
