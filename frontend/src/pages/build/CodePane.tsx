import { type KeyboardEvent, type RefObject, useRef } from 'react'
import type { Fault } from './types'

interface Props {
  label: string
  value: string
  faults: readonly Fault[]
  isLocked: boolean
  onChange: (value: string) => void
  onUndo: (isBack: boolean) => void
  area: RefObject<HTMLTextAreaElement | null>
}

/** A plain editor of text: numbered lines, and a wavy line under the place of each fault. */
export function CodePane({ label, value, faults, isLocked, onChange, onUndo, area }: Props) {
  const gutter = useRef<HTMLDivElement>(null)
  const under = useRef<HTMLPreElement>(null)
  const lines = value.split('\n')
  const wrong = new Map(faults.filter((fault) => fault.line).map((fault) => [fault.line, fault]))

  const follow = () => {
    const { scrollTop, scrollLeft } = area.current ?? { scrollTop: 0, scrollLeft: 0 }
    if (gutter.current) gutter.current.style.transform = `translateY(${-scrollTop}px)`
    if (under.current) under.current.style.transform = `translate(${-scrollLeft}px, ${-scrollTop}px)`
  }
  const press = (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey)) return
    const isBack = event.key.toLowerCase() === 'z' && !event.shiftKey
    const isForth = event.key.toLowerCase() === 'y' || (event.key.toLowerCase() === 'z' && event.shiftKey)
    if (!isBack && !isForth) return
    event.preventDefault()
    event.stopPropagation()
    onUndo(isBack)
  }
  return (
    <div className="build-code">
      <div className="build-code-gutter" aria-hidden="true">
        <div ref={gutter}>
          {lines.map((_, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
            <div key={index} className={wrong.has(index + 1) ? 'is-wrong' : undefined}>
              {wrong.has(index + 1) ? '⚠' : index + 1}
            </div>
          ))}
        </div>
      </div>
      <div className="build-code-field">
        <pre ref={under} aria-hidden="true">
          {lines.map((line, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
            <Line key={index} line={line} fault={wrong.get(index + 1)} />
          ))}
        </pre>
        <textarea
          ref={area}
          aria-label={label}
          aria-invalid={faults.length > 0}
          value={value}
          readOnly={isLocked}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          wrap="off"
          onChange={(event) => onChange(event.currentTarget.value)}
          onKeyDown={press}
          onScroll={follow}
        />
      </div>
    </div>
  )
}

function Line({ line, fault }: { line: string; fault: Fault | undefined }) {
  if (!fault) return <div>{line || ' '}</div>
  const column = Math.max(0, (fault.column ?? 1) - 1)
  const word = /^[\w.]+|^./.exec(line.slice(column))?.[0] ?? ' '
  return (
    <div>
      {line.slice(0, column)}
      <mark>{word}</mark>
      {line.slice(column + word.length)}
    </div>
  )
}
