import { Card } from '../../parts/Card'
import { type Meaning, SOURCES, TERMS, type TermName } from './terms'

/** Every term of the page in a line, and whose it is. */
export function Glossary({ terms }: { terms: readonly TermName[] }) {
  return (
    <Card title="What the words mean" className="evidence-glossary">
      <dl>
        {terms.map((name) => {
          const meaning: Meaning = TERMS[name]
          return (
            <div key={name}>
              <dt>
                <dfn>{meaning.title}</dfn>
              </dt>
              <dd id={`term-${name}`} tabIndex={-1}>
                {meaning.text}
                {meaning.source && <cite> {meaning.source}.</cite>}
              </dd>
            </div>
          )
        })}
      </dl>
      <details>
        <summary>Sources</summary>
        <ul>
          {SOURCES.map((source) => (
            <li key={source}>{source}</li>
          ))}
        </ul>
      </details>
    </Card>
  )
}
