import { TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import type { Schema } from '../../api/client'
import { counted } from '../../format'
import { Card } from '../../parts/Card'
import { Pager } from '../../parts/Pager'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { CLAIMS_SHOWN, type ClaimOrder, useClaims } from './asked'
import { ClaimsTable } from './ClaimsTable'
import { Term } from './Term'

/** What is claimed in this home, and what of it is proven. */
export function ClaimsCard({ counts }: { counts: Schema<'ClaimCounts'> | undefined }) {
  const [sorting, setSorting] = useState<{ order: ClaimOrder; descending: boolean }>({
    order: 'nearness',
    descending: true,
  })
  const [offset, setOffset] = useState(0)
  const [name, setName] = useState('')
  const [wanted] = useDebouncedValue(name.trim(), 250)
  const { data, error, refetch } = useClaims({ ...sorting, offset, ...(wanted ? { name: wanted } : {}) })
  return (
    <Card
      title="What is claimed, and what is proven"
      aside={
        (data?.registered ?? 0) > CLAIMS_SHOWN && (
          <TextInput
            size="xs"
            aria-label="Find a claim by strategy or market"
            placeholder="Find a claim"
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value)
              setOffset(0)
            }}
          />
        )
      }
    >
      <p className="evidence-lead">
        {counts === undefined
          ? 'The claims are being counted.'
          : counts.registered === 0
            ? 'Nothing is claimed yet. A strategy becomes a claim when the fleet hires it or when it passes every gate of a campaign.'
            : `${counts.proven === 0 ? 'Nothing is proven yet' : `${counted(counts.proven, 'claim')} of ${counts.registered} ${counts.proven === 1 ? 'is' : 'are'} proven`}${counts.proven === 0 ? `: ${counted(counts.registered, 'claim is', 'claims are')} registered` : ''}.`}{' '}
        A <Term of="claim">claim</Term> says that a strategy has an <Term of="edge">edge</Term>. Against each a gambler
        bets who began with 1. Unless there is an edge, his <Term of="wealth">wealth</Term> is not expected to grow; and
        only bars count that nobody could have known. At its <Term of="level">level</Term> it is{' '}
        <Term of="promotion">proof</Term>. Of all claims that ever get there, at most one in ten has no edge,{' '}
        <Term of="discovery">in expectation</Term>.
      </p>
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {data && data.registered > 0 && (
        <>
          <ClaimsTable
            claims={data.claims}
            {...sorting}
            sort={(order, descending) => {
              setSorting({ order, descending })
              setOffset(0)
            }}
          />
          <Pager
            noun="claims"
            offset={offset}
            shown={data.claims.length}
            total={data.total}
            step={CLAIMS_SHOWN}
            go={setOffset}
          />
          {data.total === 0 && <p className="muted">No claim has these words in its name or its market.</p>}
        </>
      )}
    </Card>
  )
}
