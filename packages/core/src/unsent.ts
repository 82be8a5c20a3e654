const noWay = 'no network leads to its host'

const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is it started, is the address right?',
  ENOTFOUND: 'its host is unknown; is the name right?',
  EAI_AGAIN: 'its host cannot be looked up now',
  EHOSTUNREACH: noWay,
  ENETUNREACH: noWay,
}

/** What the code of one of Node's errors means, if it is one with which nothing has been sent; undefined for any other. */
export function unsentBecause(code: unknown): string | undefined {
  const meaning = meanings[String(code)]
  return meaning && `${String(code)}: ${meaning}`
}
