import { Select } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answered, api, ProblemError, type Schema } from '../../api/client'
import { utc } from '../../format'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { RightButton } from '../../parts/RightButton'
import { underWay } from './asked'

type Source = Schema<'StoryModel'>['source']

/** The part of a story that has to be run: said before, begun by a button, kept when it is there. */
export function TellCard({ story }: { story: Schema<'StoryModel'> }) {
  const { told, telling } = story
  const [source, setSource] = useState<Source>(story.source)
  const client = useQueryClient()
  const tell = useMutation({
    mutationFn: () =>
      answered(
        api.POST('/api/evidence/strategies/{content_hash}/story', {
          params: { path: { content_hash: story.content_hash } },
          body: { source, capital: '10000' },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: ['evidence', 'strategy'] }),
  })
  const busy = tell.isPending || underWay(story)
  return (
    <Card title="Stress, neighbours and markets">
      {told ? (
        <p className="muted">
          Run on {told.symbols.length} {told.symbols.length === 1 ? 'instrument' : 'instruments'} of{' '}
          <bdi>{told.source}</bdi>, {utc(told.first).slice(0, 10)} to {utc(told.last).slice(0, 10)}, on{' '}
          {utc(told.told_at).slice(0, 16)} UTC.
        </p>
      ) : (
        <p>
          Not run yet. It takes some seconds: the strategy at these costs and under stress, and with each of its numbers
          a step up and down, on the bars of the search alone.
        </p>
      )}
      <p className="muted">Every run is a trial and counts, as everywhere; the same again does not.</p>
      <div className="evidence-filters">
        <Select
          size="xs"
          label="Market"
          data={[
            { value: 'sample', label: 'sample market' },
            { value: 'catalog', label: 'your catalog' },
          ]}
          allowDeselect={false}
          value={source}
          onChange={(value) => setSource(value === 'catalog' ? 'catalog' : 'sample')}
        />
        <RightButton right="build" size="xs" variant="default" disabled={busy} onClick={() => tell.mutate()}>
          {busy ? 'Being run …' : told ? 'Run again' : 'Run'}
        </RightButton>
        <span className="muted" role="status">
          {telling?.state === 'waiting' && 'Waits for its turn.'}
          {telling?.state === 'telling' && 'Being run; this page shows it when it is there.'}
        </span>
      </div>
      {tell.error && <ProblemNotice error={tell.error} />}
      {telling?.state === 'failed' && telling.problem && (
        <ProblemNotice error={new ProblemError(400, telling.problem)} />
      )}
    </Card>
  )
}
