import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answered, api } from '../../api/client'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/ProblemNotice'

/** What program this is, and whose work it stands on. */
export function AboutCard() {
  const about = useQuery({ queryKey: ['about'], queryFn: () => answered(api.GET('/api/about')) })
  const [reading, setReading] = useState(false)
  const licences = useQuery({
    queryKey: ['licences'],
    queryFn: async () => {
      const answer = await fetch('/licences.txt')
      if (!answer.ok) throw new Error(`the licences answered with ${answer.status}`)
      return answer.text()
    },
    enabled: reading,
    staleTime: Number.POSITIVE_INFINITY,
  })
  return (
    <Card title="About" className="wide">
      <p>
        clawd {about.data?.version ?? ''}. Agents propose, evidence promotes, the gate disposes. Its files lie in{' '}
        <code>{about.data?.home ?? '…'}</code>.
      </p>
      <ul className="settings-list">
        <li>
          Charts: TradingView Lightweight Charts™, Copyright (c) 2023 TradingView, Inc.{' '}
          <a href="https://www.tradingview.com/" target="_blank" rel="noreferrer">
            tradingview.com
          </a>
        </li>
        <li>
          Graphs:{' '}
          <a href="https://xyflow.com/" target="_blank" rel="noreferrer">
            React Flow by xyflow
          </a>
        </li>
        <li>Letters: Inter, under the SIL Open Font License 1.1</li>
      </ul>
      <Button size="compact-sm" variant="default" mt={8} onClick={() => setReading(!reading)} aria-expanded={reading}>
        {reading ? 'Hide the licences' : 'Licences of all packages'}
      </Button>
      {reading && licences.error && <ProblemNotice error={licences.error} retry={() => void licences.refetch()} />}
      {reading && licences.data && (
        // A part that scrolls has to be reached by keyboard.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        <section className="settings-licences" tabIndex={0} aria-label="Licences">
          <pre>{licences.data}</pre>
        </section>
      )}
    </Card>
  )
}
