import './build/gallery.css'
import './build/editor.css'
import './build/palette.css'
import './build/canvas.css'
import './build/block.css'
import './build/form.css'
import './build/code.css'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { answered, api } from '../api/client'
import { Page } from '../parts/Page'
import { ProblemNotice } from '../parts/ProblemNotice'
import { Editor } from './build/Editor'
import { Gallery } from './build/Gallery'
import { type Detail, type Server, Session } from './build/session'
import { kindsOf, type Palette } from './build/types'

export default function Build() {
  const { strategy } = useParams()
  // A strategy of the library gets another name with the first edit; the editor stays the one that it is.
  const opened = useRef({ name: strategy, key: 0 })
  if (opened.current.name !== strategy) opened.current = { name: strategy, key: opened.current.key + 1 }
  if (!strategy) return <Gallery />
  return (
    <Opened
      key={opened.current.key}
      name={strategy}
      onRenamed={(name) => {
        opened.current.name = name
      }}
    />
  )
}

function Opened({ name, onRenamed }: { name: string; onRenamed: (name: string) => void }) {
  const [first] = useState(name)
  const palette = useQuery({
    queryKey: ['palette'],
    queryFn: () => answered(api.GET('/api/palette')),
    staleTime: Number.POSITIVE_INFINITY,
  })
  const detail = useQuery({
    queryKey: ['strategy', first],
    queryFn: () => answered(api.GET('/api/strategies/{name}', { params: { path: { name: first } } })),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  })
  const failed = [palette, detail].find((each) => each.isError)
  if (failed)
    return (
      <Page title="Build">
        <ProblemNotice error={failed.error} retry={() => void failed.refetch()} />
        <p>
          <Link to="/build">All strategies</Link>
        </p>
      </Page>
    )
  if (!palette.data || !detail.data)
    return (
      <Page title="Build">
        <p className="muted">Loading the strategy …</p>
      </Page>
    )
  return <Loaded palette={palette.data} detail={detail.data} onRenamed={onRenamed} />
}

const SERVER: Server = {
  check: (body) => answered(api.POST('/api/strategies/check', { body })),
  save: (name, body) => answered(api.PUT('/api/strategies/{name}', { params: { path: { name } }, body })),
}

interface LoadedProps {
  palette: Palette
  detail: Detail
  onRenamed: (name: string) => void
}

function Loaded({ palette, detail, onRenamed }: LoadedProps) {
  const navigate = useNavigate()
  const queries = useQueryClient()
  const kinds = useMemo(() => kindsOf(palette), [palette])
  const [session] = useState(() => new Session(detail, kinds, SERVER, window.localStorage))
  session.onRenamed = (name) => {
    onRenamed(name)
    void navigate(`/build/${name}`, { replace: true })
  }
  useEffect(
    () => () => {
      session.close()
      void queries.invalidateQueries({ queryKey: ['strategies'] })
    },
    [session, queries],
  )
  return (
    <Page title="Build">
      <Editor session={session} palette={palette} kinds={kinds} />
    </Page>
  )
}
