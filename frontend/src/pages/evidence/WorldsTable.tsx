import type { Schema } from '../../api/client'
import { count, number } from '../../format'
import { CopyButton } from '../../parts/CopyButton'
import { ScrollTable } from './ScrollTable'
import { Term } from './Term'
import { interval, WORLDS, worldsSource } from './words'

/** Campaigns on worlds whose truth is known, row by row. */
export function WorldsTable({ table }: { table: Schema<'WorldTable'> }) {
  return (
    <>
      <ScrollTable label="Campaigns on worlds whose truth is known">
        <thead>
          <tr>
            <th scope="col">Worlds</th>
            <th scope="col" className="numbers">
              <Term of="sharpe">Sharpe</Term>
            </th>
            <th scope="col" className="numbers no-phone">
              Campaigns
            </th>
            <th scope="col" className="numbers no-phone">
              Tried
            </th>
            <th scope="col" className="numbers">
              False proofs
            </th>
            <th scope="col" className="numbers no-phone">
              Campaigns with one, <Term of="interval">95 %</Term>
            </th>
            <th scope="col" className="numbers">
              Edges found
            </th>
            <th scope="col" className="numbers no-phone">
              <Term of="interval">95 %</Term>
            </th>
            <th scope="col" className="numbers no-phone">
              <Term of="oracle">Oracle</Term>
            </th>
            <th scope="col" className="numbers no-phone">
              <Term of="naive">Naive</Term>: found
            </th>
            <th scope="col" className="numbers no-phone">
              Naive: false
            </th>
            <th scope="col" className="no-phone">
              Lost at
            </th>
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row) => {
            const planted = row.planted > 0
            return (
              <tr key={`${row.kind} ${row.sharpe}`}>
                <td title={WORLDS[row.kind].meaning}>{WORLDS[row.kind].title}</td>
                <td className="numbers">{planted ? number(row.sharpe, 1) : ''}</td>
                <td className="numbers no-phone">{count(row.campaigns)}</td>
                <td className="numbers no-phone">{count(row.trials)}</td>
                <td className="numbers">{count(row.false)}</td>
                <td className="numbers no-phone">{interval(row.false_interval)}</td>
                <td className="numbers">{planted ? `${count(row.found)} of ${count(row.planted)}` : ''}</td>
                <td className="numbers no-phone">{planted ? interval(row.found_interval) : ''}</td>
                <td className="numbers no-phone">{planted ? count(row.oracle_found) : ''}</td>
                <td className="numbers no-phone">{planted ? count(row.naive_found) : ''}</td>
                <td className="numbers no-phone">{count(row.naive_false)}</td>
                <td className="no-phone">
                  {Object.entries(row.missed)
                    .map(([stage, times]) => `${stage} ${times}`)
                    .join(', ')}
                </td>
              </tr>
            )
          })}
        </tbody>
      </ScrollTable>
      <p className="muted">
        {worldsSource(table)}
        <code className="evidence-command">{table.command}</code>{' '}
        <CopyButton text={table.command} label="Copy the command" />
      </p>
    </>
  )
}
