import { Button, Menu, TextInput } from '@mantine/core'
import { Bookmark, Trash2 } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { useKept } from '../../parts/kept'
import { viewsOf, withView } from './view'

/** Filters and orders under names of one's own. */
export function Views({ search, onShow }: { search: string; onShow: (search: string) => void }) {
  const [text, keepText] = useKept('fleet-views')
  const [name, setName] = useState('')
  const [opened, setOpened] = useState(false)
  const views = viewsOf(text)
  const save = (event: FormEvent) => {
    event.preventDefault()
    if (!name.trim()) return
    keepText(JSON.stringify(withView(views, { name: name.trim(), search })))
    setName('')
    setOpened(false)
  }
  return (
    <Menu opened={opened} onChange={setOpened} position="bottom-end" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <Button variant="default" size="compact-sm" h={32} leftSection={<Bookmark size={14} />}>
          Views{views.length > 0 && ` ${views.length}`}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {views.map((view) => (
          <Menu.Item key={view.name} onClick={() => onShow(view.search)}>
            <bdi>{view.name}</bdi>
          </Menu.Item>
        ))}
        {views.map((view) => (
          <Menu.Item
            key={view.name}
            color="danger"
            leftSection={<Trash2 size={14} />}
            onClick={() => keepText(JSON.stringify(views.filter((one) => one !== view)))}
          >
            Remove <bdi>{view.name}</bdi>
          </Menu.Item>
        ))}
        {views.length > 0 && <Menu.Divider />}
        <form onSubmit={save} className="fleet-save">
          <TextInput
            size="xs"
            label="Keep what is shown under a name"
            value={name}
            maxLength={60}
            onChange={(event) => setName(event.currentTarget.value)}
            onKeyDown={(event) => event.stopPropagation()}
          />
          <Button type="submit" size="compact-sm" disabled={!name.trim()}>
            Save view
          </Button>
        </form>
      </Menu.Dropdown>
    </Menu>
  )
}
