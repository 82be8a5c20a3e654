const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is it started, and are host and port right?',
  ENOTFOUND: 'its host has no address; is the name right?',
  EAI_AGAIN: 'the address of its host cannot be looked up now',
  EHOSTUNREACH: 'no network leads to its host',
  ENETUNREACH: 'no network leads to its host',
}

/** What the code of one of Node's errors means, if it is one with which nothing has been sent; undefined for any other. */
export function unsentBecause(code: unknown): string | undefined {
  return typeof code === 'string' && Object.hasOwn(meanings, code) ? `${code}: ${meanings[code]}` : undefined
}
