import { checkOptions, integer, invalid, optionsFromQuery, splitAuthority, splitUrl, text } from '@locks/core/backend'
import type { Adapter, Backend } from '@locks/core/backend'
import { backendAt } from './backend.ts'

export interface LockdOptions {
  /** `127.0.0.1` unless said otherwise. */
  readonly host?: string | undefined
  /** 7460 unless said otherwise. */
  readonly port?: number | undefined
}

const defaults = { host: '127.0.0.1', port: 7460 }

/** A backend on the example's own server, for all processes that reach it. */
export function lockd(options: LockdOptions = {}): Backend {
  const { host, port } = checkOptions(options, { host: text(255), port: integer(1, 65_535) })
  return backendAt(host ?? defaults.host, port ?? defaults.port)
}

/** `lockd://host:port` */
export const adapter: Adapter = {
  schemes: ['lockd'],
  fromUrl(url) {
    const parts = splitUrl(url)
    optionsFromQuery(parts.query, {})
    const { hosts, username, password, path } = splitAuthority(parts)
    const [first = defaults, ...others] = hosts
    if (others.length > 0 || username !== undefined || password !== undefined || path !== '') {
      throw invalid('a lockd: URL is lockd://host:port and nothing more')
    }
    return backendAt(first.host, first.port ?? defaults.port)
  },
}
