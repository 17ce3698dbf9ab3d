import { Route, Routes } from 'react-router'
import { CampaignPage } from './evidence/CampaignPage'
import { ClaimPage } from './evidence/ClaimPage'
import { EvidenceHome } from './evidence/EvidenceHome'
import { StrategyPage } from './evidence/StrategyPage'
import './evidence/evidence.css'

export default function Evidence() {
  return (
    <Routes>
      <Route path="claims/:number" element={<ClaimPage />} />
      <Route path="strategies/:hash" element={<StrategyPage />} />
      <Route path="campaigns/:run" element={<CampaignPage />} />
      <Route path="*" element={<EvidenceHome />} />
    </Routes>
  )
}
