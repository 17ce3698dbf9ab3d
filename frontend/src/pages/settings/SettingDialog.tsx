import { Button, Modal, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answered, api, queries } from '../../api/client'
import { sentence } from '../../format'
import { ConfirmWord } from '../../parts/ConfirmWord'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { range, type Setting, SOURCES, shown } from './values'
import './settings.css'

interface Props {
  setting: Setting
  word: string
  currency: string
  onClose: () => void
}

/** Change a setting for runs that start afterwards; to loosen a limit a word is asked for. */
export function SettingDialog({ setting, word, currency, onClose }: Props) {
  const [text, setText] = useState(setting.in_file ?? setting.value ?? '')
  const [typed, setTyped] = useState('')
  const [again, setAgain] = useState('')
  const [settled] = useDebouncedValue(text.trim(), 250)
  const value = settled === '' ? null : settled
  const name = setting.name
  const preview = useQuery({
    queryKey: ['settings', 'preview', name, value],
    queryFn: () => answered(api.POST('/api/settings/{name}/preview', { params: { path: { name } }, body: { value } })),
    retry: false,
    staleTime: 0,
  })
  const change = useMutation({
    mutationFn: () =>
      answered(
        api.PUT('/api/settings/{name}', {
          params: { path: { name } },
          body: { value, before: setting.in_file, word: typed, again },
        }),
      ),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['settings'] }),
    onSuccess: (changed) => {
      notifications.show({
        title: `${setting.title}: ${shown(setting.unit, changed.setting.value, currency)}`,
        message: `${sentence(changed.text)}.`,
      })
      onClose()
    },
  })
  const words = preview.data?.words ?? 0
  const known = settled === text.trim() && preview.data !== undefined && !preview.isError && !preview.isFetching
  const ready = known && value !== setting.in_file && (words < 1 || typed === word) && (words < 2 || again === word)
  return (
    <Modal opened onClose={onClose} title={setting.title} size={520}>
      <div className="settings-dialog">
        <p>{sentence(setting.meaning)}.</p>
        <p className="muted">
          Now {shown(setting.unit, setting.value, currency)} ({SOURCES[setting.source]}); the default is{' '}
          {shown(setting.unit, setting.default, currency)}. Runs that start afterwards begin with a new value; what is
          at work keeps what it began with.
        </p>
        <TextInput
          label="New value"
          description={`${range(setting)}; empty for the default`}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          maxLength={10_000}
          data-autofocus
        />
        {preview.isError && <ProblemNotice error={preview.error} />}
        {words > 0 && (
          <div className="settings-loosens" role="status">
            <p>
              <strong>⚠ This loosens a limit.</strong>{' '}
              {words > 1 &&
                `A day could then lose ${shown(setting.unit, preview.data?.value ?? null, currency)} before everything is closed, more than the default of ${shown(setting.unit, setting.default, currency)}: the word is asked for twice.`}
            </p>
            <ConfirmWord word={word} value={typed} onChange={setTyped} />
            {words > 1 && (
              <TextInput
                label={`Type ${word} once more`}
                value={again}
                onChange={(event) => setAgain(event.currentTarget.value)}
                autoComplete="off"
                spellCheck={false}
              />
            )}
          </div>
        )}
        {change.error && <ProblemNotice error={change.error} />}
        <div className="settings-buttons">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            color={words > 0 ? 'danger' : undefined}
            disabled={!ready || change.isPending}
            onClick={() => change.mutate()}
          >
            {change.isPending ? 'Writing …' : words > 0 ? 'Loosen the limit' : 'Set'}
          </Button>
        </div>
      </div>
    </Modal>
  )
}
