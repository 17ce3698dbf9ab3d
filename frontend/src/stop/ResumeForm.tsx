import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { answered, api, queries, type Schema } from '../api/client'
import { ConfirmWord } from '../parts/ConfirmWord'
import { ProblemNotice } from '../parts/ProblemNotice'
import { WhyField } from './WhyField'
import { wishName } from './words'

interface Props {
  standing: Schema<'Standing'>
  onGiven: (answers: Schema<'OrderAnswers'>) => void
  onCancel: () => void
}

/** What holds now, and the word that ends it. */
export function ResumeForm({ standing, onGiven, onCancel }: Props) {
  const [typed, setTyped] = useState('')
  const [why, setWhy] = useState('')
  const [once] = useState(wishName)
  const field = useRef<HTMLInputElement>(null)
  // The dialog opens before it is known what holds.
  useEffect(() => field.current?.focus(), [])
  const resume = useMutation({
    mutationFn: () => answered(api.POST('/api/resume', { body: { word: typed, why, once } })),
    onSuccess: (answers) => {
      void queries.invalidateQueries({ queryKey: ['standing'] })
      onGiven(answers)
    },
  })
  const word = standing.resume_word
  const notFlat = standing.answers.flat === false && standing.answers.runs.length > 0
  return (
    <>
      <p className="stop-holds">Holds now: {standing.order.text}.</p>
      {notFlat && (
        <p className="stop-verdict stop-bad" role="alert">
          ⚠ The flattening is not done yet: {standing.answers.text}
        </p>
      )}
      <p>Agents may enter positions again, within the limits. What they still want they may enter at once.</p>
      <ConfirmWord word={word} value={typed} onChange={setTyped} autoFocus ref={field} />
      <WhyField value={why} onChange={setWhy} />
      {resume.error && <ProblemNotice error={resume.error} />}
      <div className="stop-buttons">
        <Button variant="default" onClick={onCancel}>
          Stay stopped
        </Button>
        <Button disabled={typed !== word || resume.isPending} onClick={() => resume.mutate()}>
          {resume.isPending ? 'Ordering …' : 'Resume trading'}
        </Button>
      </div>
    </>
  )
}
