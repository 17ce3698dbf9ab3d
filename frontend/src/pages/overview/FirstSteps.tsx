import { ActionIcon } from '@mantine/core'
import { X } from 'lucide-react'
import { Link } from 'react-router'
import { useKept } from '../../parts/kept'

const STEPS = [
  { to: '/fleet', name: 'Watch', text: 'open an agent, read its last decision' },
  { to: '/build', name: 'Build', text: 'change a template, backtest it' },
  { to: '/evidence', name: 'Decide', text: 'tell luck from proof, every trial counted' },
] as const

/** For who is new here; gone for good once it is closed. */
export function FirstSteps() {
  const [closed, close] = useKept('first-steps')
  if (closed === 'closed') return null
  return (
    <nav className="card first-steps" aria-label="First steps">
      <ol>
        {STEPS.map(({ to, name, text }, at) => (
          <li key={to}>
            <span className="first-steps-number" aria-hidden>
              {at + 1}
            </span>
            <span>
              <Link to={to}>{name}</Link>: {text}
            </span>
          </li>
        ))}
      </ol>
      <ActionIcon variant="subtle" color="gray" aria-label="Close the first steps" onClick={() => close('closed')}>
        <X size={14} />
      </ActionIcon>
    </nav>
  )
}
