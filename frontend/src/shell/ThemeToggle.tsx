import { ActionIcon } from '@mantine/core'
import { Moon, Sun } from 'lucide-react'
import { useAppearance } from './appearance'

export function ThemeToggle() {
  const { shown, setTheme } = useAppearance()
  const other = shown === 'dark' ? 'light' : 'dark'
  const says = `Switch to the ${other} theme`
  return (
    <ActionIcon
      className="theme-toggle"
      variant="subtle"
      color="gray"
      size={32}
      aria-label={says}
      title={says}
      onClick={() => setTheme(other)}
    >
      {shown === 'dark' ? <Sun size={16} /> : <Moon size={16} />}
    </ActionIcon>
  )
}
