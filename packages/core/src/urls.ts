import { invalid, shown } from './errors.ts'

export interface SplitUrl {
  /** In lower case, without the colon. */
  readonly scheme: string
  /** Between the colon and the question mark. It may hold a password: never put it into a message. */
  readonly rest: string
  readonly query: string
}

/** A backend's URL in its parts. Errors about it name the scheme at the most. */
export function splitUrl(url: unknown): SplitUrl {
  if (typeof url !== 'string') throw invalid(`a backend's URL must be a string; got ${shown(url)}`)
  const parts = /^([a-z][a-z0-9+.-]*):([^?#]*)(?:\?([^#]*))?$/is.exec(url)
  if (!parts) throw invalid('a backend\'s URL must look like "memory:", "sqlite:path" or "redis://host"')
  return { scheme: (parts[1] ?? '').toLowerCase(), rest: parts[2] ?? '', query: parts[3] ?? '' }
}
