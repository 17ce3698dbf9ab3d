import { Notifications } from '@mantine/notifications'
import { lazy, Suspense } from 'react'
import { BrowserRouter, Route, Routes } from 'react-router'
import { NotFound } from './pages/NotFound'
import { SessionGate } from './session/SessionGate'
import { Shell } from './shell/Shell'

const Overview = lazy(() => import('./pages/Overview'))
const Fleet = lazy(() => import('./pages/Fleet'))
const Build = lazy(() => import('./pages/Build'))
const Backtests = lazy(() => import('./pages/Backtests'))
const Evidence = lazy(() => import('./pages/Evidence'))
const Approvals = lazy(() => import('./pages/Approvals'))
const Risk = lazy(() => import('./pages/Risk'))
const Settings = lazy(() => import('./pages/Settings'))

export function App() {
  return (
    <BrowserRouter>
      <Notifications position="bottom-right" />
      <SessionGate>
        <Shell>
          <Suspense fallback={<p className="muted">Loading the page …</p>}>
            <Routes>
              <Route path="/" element={<Overview />} />
              <Route path="/fleet/:agent?" element={<Fleet />} />
              <Route path="/build/:strategy?" element={<Build />} />
              <Route path="/backtests/*" element={<Backtests />} />
              <Route path="/evidence/*" element={<Evidence />} />
              <Route path="/approvals" element={<Approvals />} />
              <Route path="/risk" element={<Risk />} />
              <Route path="/settings" element={<Settings />} />
              <Route path="*" element={<NotFound />} />
            </Routes>
          </Suspense>
        </Shell>
      </SessionGate>
    </BrowserRouter>
  )
}
