import type { Schema } from '../../api/client'
import { count, utcDate } from '../../format'
import { Card } from '../../parts/Card'
import { some } from './CampaignsCard'
import { ScrollTable } from './ScrollTable'
import { Term } from './Term'

/** What authors are not given, and from when on. */
export function SealsCard({ seals, all }: { seals: readonly Schema<'SealModel'>[]; all: number }) {
  return (
    <Card title="What is held back">
      {seals.length === 0 ? (
        <p className="muted">Nothing: the first research campaign on a market seals its last two fifths.</p>
      ) : (
        <>
          <p className="evidence-lead">
            Bars that no author is given: neither <code>clawd backtest</code> nor a sweep reads them. The{' '}
            <Term of="selection">selection</Term> is for judging finalists, the <Term of="vault">vault</Term> opens once
            for a claim. A seal stays; what lies after its last bar is the future, which nobody has seen.
          </p>
          <ScrollTable label="Seals">
            <thead>
              <tr>
                <th scope="col">Instruments</th>
                <th scope="col">Selection from</th>
                <th scope="col">Vault from</th>
                <th scope="col" className="no-phone">
                  Last bar
                </th>
                <th scope="col" className="no-phone">
                  Campaign
                </th>
              </tr>
            </thead>
            <tbody>
              {[...seals].reverse().map((seal) => (
                <tr key={`${seal.run} ${seal.selection_from} ${seal.until} ${seal.symbols.join()}`}>
                  <td>
                    <bdi>{some(seal.symbols)}</bdi>
                  </td>
                  <td>{utcDate(seal.selection_from)}</td>
                  <td>{utcDate(seal.vault_from)}</td>
                  <td className="no-phone">{utcDate(seal.until)}</td>
                  <td className="no-phone">
                    <code>{seal.run}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </ScrollTable>
          {seals.length < all && (
            <p className="muted">
              The newest {count(seals.length)} of {count(all)}.
            </p>
          )}
        </>
      )}
    </Card>
  )
}
