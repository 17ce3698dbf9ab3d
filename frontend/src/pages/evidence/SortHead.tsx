import { ArrowDown, ArrowUp, ArrowUpDown } from 'lucide-react'
import type { ReactNode } from 'react'

/** The head of a column that the server sorts by. */
export function SortHead<Order extends string>({
  order,
  sorted,
  descending,
  sort,
  className,
  children,
}: {
  order: Order
  sorted: Order
  descending: boolean
  sort: (order: Order, descending: boolean) => void
  className?: string
  children: ReactNode
}) {
  const mine = sorted === order
  const Icon = mine ? (descending ? ArrowDown : ArrowUp) : ArrowUpDown
  return (
    <th scope="col" className={className} aria-sort={mine ? (descending ? 'descending' : 'ascending') : undefined}>
      <button type="button" className="table-sort" onClick={() => sort(order, mine ? !descending : true)}>
        {children}
        <Icon size={12} className={mine ? '' : 'table-unsorted'} aria-hidden />
      </button>
    </th>
  )
}
