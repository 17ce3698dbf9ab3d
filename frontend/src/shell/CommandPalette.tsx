import '@mantine/spotlight/styles.css'
import { createSpotlight, Spotlight } from '@mantine/spotlight'
import { Bot, OctagonX, SunMoon } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useNavigate } from 'react-router'
import { useFleet } from '../live/status'
import { useAppearance } from './appearance'
import { PAGES } from './pages'

const MOST_AGENTS = 8
const [store, palette] = createSpotlight()

/** Everything by its name: pages, agents, actions. Opened once it is mounted, and whenever `asked` is another number. */
export default function CommandPalette({ asked, onStop }: { asked: number; onStop: () => void }) {
  const [query, setQuery] = useState('')
  const go = useNavigate()
  const { shown, setTheme } = useAppearance()
  useEffect(() => {
    if (asked > 0) palette.toggle()
  }, [asked])
  const words = query.trim().toLowerCase()
  const fits = (...texts: string[]) => texts.some((text) => text.toLowerCase().includes(words))
  const pages = PAGES.filter((page) => fits(page.name, page.does))
  const actions = [
    {
      id: 'stop',
      label: 'Stop trading',
      does: 'Stop entries, flatten or halt: asks first',
      Icon: OctagonX,
      run: onStop,
    },
    {
      id: 'theme',
      label: `Switch to the ${shown === 'dark' ? 'light' : 'dark'} theme`,
      does: 'Appearance of this browser',
      Icon: SunMoon,
      run: () => setTheme(shown === 'dark' ? 'light' : 'dark'),
    },
  ].filter((action) => fits(action.label, action.does))
  return (
    <Spotlight.Root
      store={store}
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      transitionProps={{ duration: 0 }}
    >
      <Spotlight.Search placeholder="A page, an agent or an action" aria-label="Search" />
      <Spotlight.ActionsList>
        <Spotlight.ActionsGroup label="Pages">
          {pages.map(({ to, name, does, Icon }) => (
            <Spotlight.Action
              key={to}
              label={name}
              description={does}
              leftSection={<Icon size={16} />}
              onClick={() => go(to)}
            />
          ))}
        </Spotlight.ActionsGroup>
        <Spotlight.ActionsGroup label="Actions">
          {actions.map(({ id, label, does, Icon, run }) => (
            <Spotlight.Action
              key={id}
              label={label}
              description={does}
              leftSection={<Icon size={16} />}
              onClick={() => run()}
            />
          ))}
        </Spotlight.ActionsGroup>
        {words !== '' && <Agents words={words} />}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  )
}

function Agents({ words }: { words: string }) {
  const fleet = useFleet()
  const go = useNavigate()
  const found: number[] = []
  for (let row = 0; row < fleet.length && found.length < MOST_AGENTS; row++)
    if (`${fleet.ids[row]} ${fleet.names[row]} ${fleet.markets[row]}`.toLowerCase().includes(words)) found.push(row)
  if (found.length === 0) return null
  return (
    <Spotlight.ActionsGroup label="Agents">
      {found.map((row) => (
        <Spotlight.Action
          key={fleet.ids[row]}
          label={fleet.ids[row]}
          description={fleet.names[row]}
          leftSection={<Bot size={16} />}
          onClick={() => go(`/fleet/${encodeURIComponent(fleet.ids[row] ?? '')}`)}
        />
      ))}
    </Spotlight.ActionsGroup>
  )
}
