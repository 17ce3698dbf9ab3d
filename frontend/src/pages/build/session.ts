import { type Problem, ProblemError, type Schema } from '../../api/client'
import { amended, begun, edited, type History, redone, undone } from './history'
import { withPlaces } from './layout'
import type { Check, Draft, Graph, Kinds, Viewport } from './types'

export type Detail = Schema<'StrategyDetail'>
export type SaveRequest = Schema<'SaveRequest'>
type SavedAnswer = Schema<'SavedAnswer'>

/** What an editing session asks the server for. */
export interface Server {
  check(request: Schema<'CheckRequest'>): Promise<Check>
  save(name: string, request: SaveRequest): Promise<SavedAnswer>
}

/** Where unsaved work waits for a server that is not there. */
interface Shelf {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

export type Saving = 'saved' | 'waiting' | 'saving' | 'unreachable' | 'refused' | 'conflict'

export interface SessionState {
  name: string
  /** Saved by a person; one of the library becomes his own with the first edit. */
  own: boolean
  revision: number
  history: History<Draft>
  /** The last answer of the server; of what is edited now where `checked` is the present draft. */
  check: Check
  checked: Draft | null
  checking: boolean
  /** Why there is no answer. */
  silence: Problem | null
  saving: Saving
  savedAt: number | null
  problem: Problem | null
  viewport: Viewport | null
  pane: string
  /** Work of this browser that was based on an earlier revision. */
  leftover: Draft | null
  editedOutside: boolean
}

const CHECK_AFTER = 250
const SAVE_AFTER = 900
const RETRY_AFTER = 3_000
const MOST_NAMES = 500

export const EMPTY: Graph = {
  name: 'Untitled',
  exits: { stop: { atr: 3, window: 14 } },
  nodes: [],
  edges: [],
  target: '',
  layout: {},
}

const shelfKey = (name: string) => `clawd.build.${name}`

/** The draft of what the server has. */
function draftOf(detail: Detail, kinds: Kinds): Draft {
  const { check } = detail
  return {
    graph: withPlaces(check.graph ?? EMPTY, kinds),
    text: detail.form === 'text' && detail.draft !== null ? detail.draft : (check.text ?? ''),
    tree: detail.form === 'json' && detail.draft !== null ? detail.draft : (check.tree ?? ''),
    form: detail.draft === null && !check.valid ? 'graph' : detail.form,
  }
}

/** The draft with its other forms in step with the one that was edited; as it was where that is not valid. */
function inStep(draft: Draft, check: Check, kinds: Kinds): Draft {
  if (!check.valid) return draft
  const graph = draft.form === 'graph' || !check.graph ? draft.graph : withPlaces(check.graph, kinds)
  return {
    form: draft.form,
    graph,
    text: draft.form === 'text' ? draft.text : (check.text ?? draft.text),
    tree: draft.form === 'json' ? draft.tree : (check.tree ?? draft.tree),
  }
}

/** Whether two graphs say the same but for where their blocks stand. */
const saysTheSame = (one: Graph, other: Graph): boolean =>
  one.nodes === other.nodes &&
  one.edges === other.edges &&
  one.target === other.target &&
  one.exits === other.exits &&
  one.name === other.name &&
  one.bar === other.bar &&
  one.universe === other.universe &&
  one.source === other.source &&
  one.claim === other.claim

/** One strategy being edited: its history, what the server says of it, and whether it is saved. */
export class Session {
  state: SessionState
  /** Called when a strategy of the library has become one's own, or a copy was saved, under a new name. */
  onRenamed: (name: string) => void = () => {}
  private listeners = new Set<() => void>()
  private checkTimer: ReturnType<typeof setTimeout> | undefined
  private saveTimer: ReturnType<typeof setTimeout> | undefined
  private asked = 0
  private inFlight = false
  private savedDraft: Draft
  private savedView: string
  private closed = false

  constructor(
    detail: Detail,
    private readonly kinds: Kinds,
    private readonly server: Server,
    private readonly shelf: Shelf,
    private readonly now: () => number = Date.now,
  ) {
    const draft = draftOf(detail, kinds)
    this.savedDraft = draft
    this.state = {
      name: detail.name,
      own: detail.own,
      revision: detail.revision,
      history: begun(draft),
      check: detail.check,
      checked: draft,
      checking: false,
      silence: null,
      saving: 'saved',
      savedAt: detail.saved_at,
      problem: null,
      viewport: detail.viewport,
      pane: detail.pane ?? 'block',
      leftover: null,
      editedOutside: detail.edited_outside,
    }
    this.savedView = this.view()
    this.takeFromShelf()
  }

  get draft(): Draft {
    return this.state.history.present
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  snapshot = (): SessionState => this.state

  /** Change the draft. Edits of one kind shortly after one another are one step of undo. */
  edit(kind: string, change: (draft: Draft) => Draft): void {
    const draft = change(this.draft)
    if (draft === this.draft) return
    this.set({ history: edited(this.state.history, draft, kind, this.now()) })
    this.changed()
  }

  editGraph(kind: string, change: (graph: Graph) => Graph): void {
    this.edit(kind, (draft) => {
      const graph = withPlaces(change(draft.graph), this.kinds)
      if (graph === draft.graph) return draft
      return { ...draft, graph, form: saysTheSame(graph, draft.graph) ? draft.form : 'graph' }
    })
  }

  editText(text: string): void {
    this.edit('text', (draft) => (text === draft.text ? draft : { ...draft, text, form: 'text' }))
  }

  editTree(tree: string): void {
    this.edit('json', (draft) => (tree === draft.tree ? draft : { ...draft, tree, form: 'json' }))
  }

  undo(): void {
    this.set({ history: undone(this.state.history) })
    this.changed()
  }

  redo(): void {
    this.set({ history: redone(this.state.history) })
    this.changed()
  }

  look(view: { viewport?: Viewport; pane?: string }): void {
    this.set(view)
    if (this.state.own) this.scheduleSave()
  }

  /** Ask at once what is wrong; the answer is in the state, and null where there is none. */
  async validate(): Promise<Check | null> {
    clearTimeout(this.checkTimer)
    const draft = this.draft
    this.asked += 1
    const asked = this.asked
    this.set({ checking: true })
    try {
      const request =
        draft.form === 'graph'
          ? { graph: draft.graph }
          : draft.form === 'text'
            ? { text: draft.text, previous: draft.graph }
            : { tree: draft.tree, previous: draft.graph }
      const check = await this.server.check(request)
      if (asked !== this.asked || this.draft !== draft || this.closed) return null
      const present = inStep(draft, check, this.kinds)
      const wasSaved = this.savedDraft === draft
      if (wasSaved) this.savedDraft = present
      this.set({
        check,
        checked: present,
        checking: false,
        silence: null,
        history: amended(this.state.history, present),
      })
      return check
    } catch (error) {
      if (asked !== this.asked || this.closed) return null
      this.set({ checking: false, silence: problemOf(error) })
      if (isSilence(error)) this.scheduleCheck(RETRY_AFTER)
      return null
    }
  }

  /** Save at once. */
  async save(): Promise<void> {
    clearTimeout(this.saveTimer)
    if (this.inFlight || this.closed || this.state.saving === 'conflict') return
    if (!this.isDirty()) {
      this.set({ saving: 'saved' })
      return
    }
    this.inFlight = true
    const { draft } = this
    const view = this.view()
    this.set({ saving: 'saving', problem: null })
    try {
      const answer = this.state.own ? await this.put(this.state.name, draft) : await this.putAsOwn(draft)
      this.savedDraft = draft
      this.savedView = view
      this.set({ revision: answer.revision, savedAt: answer.saved_at, saving: 'saved', editedOutside: false })
      if (this.draft === draft) this.shelf.removeItem(shelfKey(this.state.name))
      this.inFlight = false
      if (this.isDirty()) this.scheduleSave()
    } catch (error) {
      this.inFlight = false
      const conflict = error instanceof ProblemError && error.status === 409
      this.set({
        saving: isSilence(error) ? 'unreachable' : conflict ? 'conflict' : 'refused',
        problem: problemOf(error),
      })
      if (isSilence(error)) this.scheduleSave(RETRY_AFTER)
    }
  }

  /** Save what is here under a name of its own, after somebody else has saved theirs. */
  async saveCopy(): Promise<void> {
    this.shelf.removeItem(shelfKey(this.state.name))
    this.set({ own: false, revision: 0, saving: 'waiting', problem: null })
    this.savedView = ''
    await this.save()
  }

  takeLeftover(use: boolean): void {
    const { leftover } = this.state
    this.shelf.removeItem(shelfKey(this.state.name))
    this.set({ leftover: null })
    if (use && leftover) this.edit('leftover', () => leftover)
  }

  close(): void {
    if (this.isDirty() && this.state.saving !== 'conflict' && (this.state.own || this.draft !== this.savedDraft))
      void this.save()
    this.closed = true
    clearTimeout(this.checkTimer)
    clearTimeout(this.saveTimer)
  }

  private takeFromShelf(): void {
    const kept = this.shelf.getItem(shelfKey(this.state.name))
    if (!kept) return
    try {
      const { revision, draft } = JSON.parse(kept) as { revision: number; draft: Draft }
      if (typeof draft.text !== 'string' || !Array.isArray(draft.graph.nodes)) return
      if (revision !== this.state.revision) {
        this.set({ leftover: draft })
        return
      }
      this.set({ history: edited(this.state.history, draft, 'shelf', 0) })
      this.changed()
    } catch {
      this.shelf.removeItem(shelfKey(this.state.name))
    }
  }

  private changed(): void {
    try {
      const kept = JSON.stringify({ revision: this.state.revision, draft: this.draft })
      this.shelf.setItem(shelfKey(this.state.name), kept)
    } catch {
      // A full shelf keeps nothing; the server is asked to all the same.
    }
    if (this.state.checked !== this.draft) this.scheduleCheck(CHECK_AFTER)
    this.scheduleSave()
  }

  private scheduleCheck(after: number): void {
    clearTimeout(this.checkTimer)
    const { checked } = this.state
    // What only moves blocks about is not asked about again.
    if (checked && checked.form === this.draft.form && sameWords(checked, this.draft)) {
      this.set({ checked: this.draft })
      return
    }
    this.set({ checking: true })
    this.checkTimer = setTimeout(() => void this.validate(), after)
  }

  private scheduleSave(after = SAVE_AFTER): void {
    if (this.state.saving === 'conflict') return
    clearTimeout(this.saveTimer)
    if (after === SAVE_AFTER && !this.inFlight) this.set({ saving: this.isDirty() ? 'waiting' : 'saved' })
    this.saveTimer = setTimeout(() => void this.save(), after)
  }

  private isDirty(): boolean {
    return this.draft !== this.savedDraft || (this.state.own && this.view() !== this.savedView)
  }

  private view(): string {
    return JSON.stringify([this.state.viewport, this.state.pane])
  }

  private put(name: string, draft: Draft, revision = this.state.revision): Promise<SavedAnswer> {
    return this.server.save(name, {
      revision,
      form: draft.form,
      text: draft.text,
      tree: draft.form === 'json' ? draft.tree : null,
      graph: draft.graph,
      viewport: this.state.viewport,
      pane: this.state.pane,
    })
  }

  /** The first free name after that of the library. */
  private async putAsOwn(draft: Draft): Promise<SavedAnswer> {
    const stem = this.state.name.replace(/-\d+$/, '').slice(0, 50)
    for (let number = 2; ; number += 1) {
      const name = `${stem}-${number}`
      try {
        const answer = await this.put(name, draft, 0)
        this.shelf.removeItem(shelfKey(this.state.name))
        this.set({ name, own: true })
        this.onRenamed(name)
        return answer
      } catch (error) {
        if (!(error instanceof ProblemError) || error.status !== 409 || number > MOST_NAMES) throw error
      }
    }
  }

  private set(change: Partial<SessionState>): void {
    this.state = { ...this.state, ...change }
    for (const listener of this.listeners) listener()
  }
}

const sameWords = (one: Draft, other: Draft) =>
  one.text === other.text && one.tree === other.tree && saysTheSame(one.graph, other.graph)

const isSilence = (error: unknown) => !(error instanceof ProblemError) || error.status === 0 || error.status >= 500

const problemOf = (error: unknown): Problem =>
  error instanceof ProblemError ? error.problem : { what: String(error), where: null, hint: null }
