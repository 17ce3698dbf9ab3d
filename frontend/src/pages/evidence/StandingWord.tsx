import { STANDINGS, type Standing } from './words'

/** Where a claim stands: a sign and a word. */
export function StandingWord({ standing }: { standing: Standing }) {
  const { word, glyph } = STANDINGS[standing]
  return (
    <span className={`evidence-standing ${standing}`}>
      <span aria-hidden>{glyph} </span>
      {word}
    </span>
  )
}
