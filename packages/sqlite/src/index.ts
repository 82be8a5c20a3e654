import type { Adapter, Backend } from '@locks/core/backend'
import { backendOn } from './backend.ts'
import { pathFromOptions, pathFromUrl, type SqliteOptions } from './options.ts'

export type { SqliteOptions } from './options.ts'

/** A backend in one database file, for the processes of one machine. */
export function sqlite(options: SqliteOptions): Backend {
  return backendOn(pathFromOptions(options))
}

/** `sqlite:relative/path.db`, `sqlite:/absolute/path.db` or `sqlite:///absolute/path.db`, percent-encoded. */
export const adapter: Adapter = {
  schemes: ['sqlite'],
  fromUrl: (url) => backendOn(pathFromUrl(url)),
}
