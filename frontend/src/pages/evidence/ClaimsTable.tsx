import { Link } from 'react-router'
import type { Schema } from '../../api/client'
import { count, utcDate } from '../../format'
import type { ClaimOrder } from './asked'
import { ScrollTable } from './ScrollTable'
import { SortHead } from './SortHead'
import { Spark } from './Spark'
import { StandingWord } from './StandingWord'
import { level, progress, wealth } from './words'

/** Claims, each with its wealth and its level. Without `sort` it stays as it is given. */
export function ClaimsTable({
  claims,
  order,
  descending = true,
  sort,
}: {
  claims: readonly Schema<'ClaimModel'>[]
  order?: ClaimOrder
  descending?: boolean
  sort?: (order: ClaimOrder, descending: boolean) => void
}) {
  const head = (of: ClaimOrder, text: string, className?: string) =>
    sort && order ? (
      <SortHead order={of} sorted={order} descending={descending} sort={sort} {...(className ? { className } : {})}>
        {text}
      </SortHead>
    ) : (
      <th scope="col" className={className}>
        {text}
      </th>
    )
  return (
    <ScrollTable label="Claims and their wealth">
      <thead>
        <tr>
          {head('number', 'No.', 'numbers no-phone')}
          {head('name', 'Strategy')}
          <th scope="col" className="no-phone">
            Market
          </th>
          <th scope="col" className="no-phone">
            Counts from
          </th>
          {head('wealth', 'Wealth now', 'numbers')}
          <th scope="col" className="numbers no-phone">
            Best
          </th>
          <th scope="col" className="numbers">
            To reach
          </th>
          {head('nearness', 'Its way (log scale)', 'no-phone')}
          {head('bars', 'Bars', 'numbers no-phone')}
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {claims.map((claim) => (
          <tr key={claim.number}>
            <td className="numbers no-phone">{claim.number}</td>
            <td>
              <Link to={`/evidence/claims/${claim.number}`}>
                <bdi>{claim.name}</bdi>
              </Link>
            </td>
            <td className="no-phone">
              <bdi>{claim.market.replaceAll(',', ', ')}</bdi>
            </td>
            <td className="no-phone">{utcDate(claim.counts_from)}</td>
            <td className="numbers">{wealth(claim.wealth)}</td>
            <td className="numbers no-phone">{wealth(claim.peak)}</td>
            <td className="numbers">{level(claim.wealth_to_reach)}</td>
            <td className="no-phone">
              {claim.spark.length > 1 ? (
                <Spark logs={claim.spark} level={claim.wealth_to_reach} now={claim.wealth} />
              ) : (
                <span className="muted">{Math.round(progress(claim) * 100)}%</span>
              )}
            </td>
            <td className="numbers no-phone">{count(claim.bars)}</td>
            <td>
              <StandingWord standing={claim.standing} />
            </td>
          </tr>
        ))}
      </tbody>
    </ScrollTable>
  )
}
