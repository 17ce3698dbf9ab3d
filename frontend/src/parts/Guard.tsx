import { Component, type ReactNode } from 'react'
import { ProblemNotice } from './ProblemNotice'

/** What breaks inside is said in its place; the rest of the page goes on. Another `place` is another try. */
export class Guard extends Component<{ place: string; children: ReactNode }, { error: unknown; place: string }> {
  state = { error: null as unknown, place: this.props.place }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  static getDerivedStateFromProps(props: { place: string }, state: { place: string }) {
    return props.place === state.place ? null : { error: null, place: props.place }
  }

  render() {
    if (this.state.error === null) return this.props.children
    return <ProblemNotice error={this.state.error} retry={() => this.setState({ error: null })} />
  }
}
