import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const server = process.env.CLAWD_SERVER ?? 'http://127.0.0.1:8765'

export default defineConfig({
  plugins: [react()],
  // `npm run dev` serves the sources; everything else comes from a running `clawd up`.
  server: { host: '127.0.0.1', proxy: { '/api': { target: server, ws: true } } },
  build: { outDir: '../src/clawd/server/dist', emptyOutDir: true, chunkSizeWarningLimit: 900 },
  test: { environment: 'jsdom' },
})
