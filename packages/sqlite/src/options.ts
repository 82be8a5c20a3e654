import { resolve } from 'node:path'
import { checkOptions, invalid, optionsFromQuery, shown, splitUrl, type Check } from '@locks/core/backend'

export interface SqliteOptions {
  /** The database file. It is made when missing, its folder is not. */
  readonly path: string
}

const path: Check<string> = {
  fromText: (given) => given,
  check(value, label) {
    if (typeof value !== 'string') throw invalid(`${label} must be a string; got ${shown(value)}`)
    if (value === '' || value === ':memory:') {
      throw invalid(`${label} must name a file, which processes can share; "memory:" is the backend without one`)
    }
    if (value.includes('\0')) throw invalid(`${label} must not hold a NUL; got ${shown(value)}`)
    return value
  },
}

export function pathFromOptions(options: unknown): string {
  const { path: given } = checkOptions(options, { path })
  if (given === undefined) throw invalid('sqlite() needs { path }, the database file')
  return resolve(given)
}

export function pathFromUrl(url: string): string {
  const { rest, query } = splitUrl(url)
  optionsFromQuery(query, {})
  const encoded = rest.replace(/^\/\/(?:localhost)?(?=\/)/i, '')
  if (encoded.startsWith('//')) {
    throw invalid('sqlite: has no host; write sqlite:relative/path.db or sqlite:///absolute/path.db')
  }
  return resolve(path.check(decoded(encoded), 'the path of a sqlite: URL'))
}

function decoded(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    throw invalid('the path of a sqlite: URL is wrongly percent-encoded; a percent sign is written %25')
  }
}
