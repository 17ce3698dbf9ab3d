import { Route, Routes } from 'react-router'
import { ComparePage } from './backtests/ComparePage'
import { RunList } from './backtests/RunList'
import { RunPage } from './backtests/RunPage'
import './backtests/backtests.css'

/** The list, one backtest, or several side by side. */
export default function Backtests() {
  return (
    <Routes>
      <Route index element={<RunList />} />
      <Route path="compare" element={<ComparePage />} />
      <Route path=":id" element={<RunPage />} />
    </Routes>
  )
}
