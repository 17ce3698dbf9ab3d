/** The token of a link that was opened; tokens are letters of base64 for URLs. */
const TOKEN = /^#token=([\w-]{20,200})$/

export function readToken(hash: string): string | null {
  return TOKEN.exec(hash)?.[1] ?? null
}

/** Take the token out of the address at once: nothing of it stays in the history, and nobody reads it over a shoulder. */
export function takeToken(): string | null {
  const token = readToken(location.hash)
  if (location.hash.startsWith('#token=')) history.replaceState(history.state, '', location.pathname + location.search)
  return token
}
