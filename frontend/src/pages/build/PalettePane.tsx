import { TextInput, Tooltip } from '@mantine/core'
import { Search } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { BlockKind, Palette } from './types'

/** Every block that there is, by group: Enter or a click adds it, and it can be dragged to its place. */
export function PalettePane({ palette, onAdd }: { palette: Palette; onAdd: (kind: BlockKind) => void }) {
  const [sought, setSought] = useState('')
  const groups = useMemo(() => found(palette, sought), [palette, sought])
  return (
    <aside className="build-palette" aria-label="Blocks">
      <TextInput
        size="xs"
        value={sought}
        onChange={(event) => setSought(event.currentTarget.value)}
        onKeyDown={(event) => {
          const first = groups[0]?.blocks[0]
          if (event.key === 'Enter' && sought && first) onAdd(first)
          if (event.key === 'Escape') setSought('')
        }}
        leftSection={<Search size={14} />}
        placeholder="Find a block"
        aria-label="Find a block"
      />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keyboard */}
      <section className="build-palette-list" tabIndex={0} aria-label="List of blocks">
        {groups.map((group) => (
          <details key={group.name} open={sought !== '' || group.isOpen}>
            <summary title={group.meaning}>
              {group.name} <span className="muted">{group.blocks.length}</span>
            </summary>
            {group.blocks.map((kind) => (
              <Tooltip key={kind.op} label={about(kind)} position="right" multiline w={300} openDelay={400}>
                <button
                  type="button"
                  className="build-palette-block"
                  data-group={kind.group}
                  draggable
                  onDragStart={(event) => event.dataTransfer.setData('application/x-clawd-block', kind.op)}
                  onClick={() => onAdd(kind)}
                >
                  {kind.usage}
                </button>
              </Tooltip>
            ))}
          </details>
        ))}
        {groups.length === 0 && <p className="muted">No block is called so.</p>}
      </section>
    </aside>
  )
}

const about = (kind: BlockKind) => (kind.formula ? `${kind.meaning}. ${kind.formula}` : kind.meaning)

function found(palette: Palette, sought: string) {
  const words = sought.trim().toLowerCase()
  const matches = (kind: BlockKind) =>
    kind.op.includes(words) || (words.length > 2 && kind.meaning.toLowerCase().includes(words))
  const rank = (kind: BlockKind) => (kind.op === words ? 0 : kind.op.startsWith(words) ? 1 : 2)
  const groups = palette.groups.map((group) => ({
    ...group,
    isOpen: group.name === 'inputs' || group.name === 'position',
    blocks: palette.blocks
      .filter((kind) => kind.group === group.name && matches(kind))
      .sort((one, other) => (words ? rank(one) - rank(other) : 0)),
  }))
  const kept = groups.filter((group) => group.blocks.length)
  if (!words) return kept
  const best = (group: (typeof kept)[number]) => Math.min(...group.blocks.map(rank))
  return kept.sort((one, other) => best(one) - best(other))
}
