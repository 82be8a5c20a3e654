import type { Adapter, Backend } from '@locks/core/backend'
import { backendOn } from './backend.ts'
import { settingsFromOptions, settingsFromUrl, type PostgresOptions } from './options.ts'

export { PostgresGuard, type GuardOptions } from './guard.ts'
export type { PostgresOptions, SslMode } from './options.ts'
export { fenceTable } from './sql/fence.ts'
export { schemaScript } from './sql/script.ts'

/** A backend on a Postgres server: advisory locks with a lease. */
export function postgres(options: PostgresOptions): Backend {
  return backendOn(settingsFromOptions(options))
}

/** `postgres://user:password@host:5432/database`, also `postgresql:`; options in the query string. */
export const adapter: Adapter = {
  schemes: ['postgres', 'postgresql'],
  fromUrl: (url) => backendOn(settingsFromUrl(url)),
}
