import { type Setting, SOURCES } from './values'

/** Where a value comes from, in a word. */
export function SourceMark({ setting }: { setting: Setting }) {
  const where =
    setting.source === 'option'
      ? (setting.option ?? undefined)
      : setting.source === 'environment'
        ? setting.variable
        : undefined
  return (
    <span className={`settings-source settings-${setting.source}`} title={where}>
      {SOURCES[setting.source]}
    </span>
  )
}
