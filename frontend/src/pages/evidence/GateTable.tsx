import type { Schema } from '../../api/client'
import { number } from '../../format'
import { ScrollTable } from './ScrollTable'
import { Term } from './Term'
import { gateNumber, gatesPassed, gateWords } from './words'

/** Gates in the order in which a strategy meets them: number, threshold, verdict, and what is asked. */
export function GateTable({ gates, label }: { gates: readonly Schema<'GateModel'>[]; label: string }) {
  return (
    <>
      <p>{gatesPassed(gates)}</p>
      <ScrollTable label={label}>
        <thead>
          <tr>
            <th scope="col">Gate</th>
            <th scope="col" className="numbers">
              Number
            </th>
            <th scope="col" className="numbers">
              Has to be
            </th>
            <th scope="col">Verdict</th>
            <th scope="col" className="no-phone">
              What it asks
            </th>
          </tr>
        </thead>
        <tbody>
          {gates.map((gate) => {
            const { title, term, rule, meaning } = gateWords(gate)
            return (
              <tr key={gate.name}>
                <td>{term ? <Term of={term}>{title}</Term> : <bdi>{title}</bdi>}</td>
                <td className="numbers">{gateNumber(gate.value)}</td>
                <td className="numbers">
                  {rule} {number(gate.threshold, 2)}
                </td>
                <td className={`evidence-verdict ${gate.passed ? 'gain' : 'loss'}`}>
                  <span aria-hidden>{gate.passed ? '✓' : '✗'} </span>
                  {gate.passed ? 'passed' : gate.value === null ? 'unknown, so not passed' : 'not passed'}
                </td>
                <td className="no-phone">
                  {meaning} <span className="muted">{said(gate.meaning)}</span>
                </td>
              </tr>
            )
          })}
        </tbody>
      </ScrollTable>
    </>
  )
}

/** What was measured, as the gate itself says it, without the threshold that stands in its own column. */
const said = (meaning: string) => {
  const text = meaning.replace(/; (at least|at most|above) [\d.e-]+$/, '')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
