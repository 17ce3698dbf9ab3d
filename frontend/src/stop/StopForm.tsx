import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useId, useRef, useState } from 'react'
import { answered, api, queries, type Schema } from '../api/client'
import { counted } from '../format'
import { ConfirmWord } from '../parts/ConfirmWord'
import { ProblemNotice } from '../parts/ProblemNotice'
import { Unattended } from './Unattended'
import { WhyField } from './WhyField'
import { consequences, deed, type Level, mayGo, PURPOSES, TITLES, wishName } from './words'

interface Props {
  standing: Schema<'Standing'>
  onGiven: (answers: Schema<'OrderAnswers'>) => void
  onCancel: () => void
}

/** Choose a level, see what it does, type its word. Enter fires nothing: only the button does. */
export function StopForm({ standing, onGiven, onCancel }: Props) {
  const [chosen, setChosen] = useState<Level>('stop_entries')
  const [typed, setTyped] = useState('')
  const [why, setWhy] = useState('')
  const [once, setOnce] = useState(wishName)
  const consequence = useId()
  const first = useRef<HTMLInputElement>(null)
  // The dialog opens before the counts have come.
  useEffect(() => first.current?.focus(), [])
  const stop = useMutation({
    mutationFn: (level: Level) => answered(api.POST('/api/standing', { body: { level, word: typed, why, once } })),
    onSuccess: (answers) => {
      void queries.invalidateQueries({ queryKey: ['standing'] })
      onGiven(answers)
    },
  })
  const level = standing.levels.find((each) => each.level === chosen)
  if (!level) return null
  const choose = (next: Level) => {
    setChosen(next)
    setTyped('')
    setOnce(wishName())
    stop.reset()
  }
  // Who has been told of no run yet may still be reading its journal.
  const idle = !standing.runs.some((run) => run.at_work) && standing.answers.runs.every((run) => run.state === 'ended')
  const unread = standing.runs.filter((run) => run.at_work && !run.whole).map((run) => run.run)
  return (
    <>
      <fieldset className="stop-levels">
        <legend>What is to happen</legend>
        {standing.levels.map((each, place) => (
          <label key={each.level} className="stop-level">
            <input
              type="radio"
              name="level"
              value={each.level}
              checked={each.level === chosen}
              onChange={() => choose(each.level)}
              aria-describedby={each.level === chosen ? consequence : undefined}
              ref={place === 0 ? first : undefined}
              data-autofocus={place === 0 ? true : undefined}
            />
            <span>
              <strong>
                {place + 1} · {TITLES[each.level]}
              </strong>
              <span className="muted">{PURPOSES[each.level]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <div id={consequence} className="stop-consequences" aria-live="polite">
        {unread.length > 0 && (
          <p className="warn">
            ⚠ The journal of {unread.join(', ')} is still being read: what is open there is not counted. The order
            reaches it all the same.
          </p>
        )}
        {standing.uncounted > 0 && (
          <p className="warn">
            ⚠ And {counted(standing.uncounted, 'more run')} at work, not counted here: the order is for them too.
          </p>
        )}
        {idle ? (
          <p>Nothing is running. The order is kept, and whatever starts next begins under it.</p>
        ) : (
          <ul>
            {consequences(level).map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        )}
        <Unattended runs={standing.unattended} />
      </div>
      {level.word && <ConfirmWord word={level.word} value={typed} onChange={setTyped} />}
      <WhyField value={why} onChange={setWhy} />
      {stop.error && (
        <div>
          <ProblemNotice error={stop.error} />
          <p className="muted">
            In a terminal, <code>clawd {chosen === 'stop_entries' ? 'reduce' : chosen}</code> does the same.
          </p>
        </div>
      )}
      <div className="stop-buttons">
        <Button variant="default" onClick={onCancel}>
          {standing.order.ordered === 'resume' ? 'Keep trading' : 'Leave it as it is'}
        </Button>
        <Button
          color="danger"
          disabled={!mayGo(level, typed) || stop.isPending}
          onClick={() => stop.mutate(level.level)}
        >
          {stop.isPending ? 'Ordering …' : deed(level)}
        </Button>
      </div>
    </>
  )
}
