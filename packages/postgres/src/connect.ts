import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { Client, type ClientConfig } from 'pg'
import type { Location, Settings } from './options.ts'

/**
 * A client of the adapter's own, not connected yet. Nothing is set by start-up options, which poolers refuse before they can
 * be told apart.
 */
export function clientOf({ config }: Settings, name: string, patience: number): Client {
  return new Client({
    ...(isLocation(config) ? fromLocation(config) : config),
    application_name: name,
    connectionTimeoutMillis: patience,
    keepAlive: true,
    // Core knows how long a call may take.
    query_timeout: 0,
    statement_timeout: 0,
    lock_timeout: 0,
    idle_in_transaction_session_timeout: 0,
  })
}

function isLocation(config: ClientConfig | Location): config is Location {
  return 'sslmode' in config
}

function fromLocation({ host, port, user, password, database, ...tls }: Location): ClientConfig {
  return {
    host,
    port,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ssl: tls.sslmode === 'disable' ? false : tlsOf(tls, host),
  }
}

type Tls = Pick<Location, 'sslmode' | 'sslrootcert' | 'sslcert' | 'sslkey'>

function tlsOf({ sslmode, sslrootcert, sslcert, sslkey }: Tls, host: string): ConnectionOptions {
  return {
    host,
    rejectUnauthorized: sslmode !== 'require',
    ...(sslmode === 'verify-ca' && { checkServerIdentity: () => undefined }),
    ...(sslrootcert !== undefined && { ca: readFileSync(sslrootcert) }),
    ...(sslcert !== undefined && { cert: readFileSync(sslcert) }),
    ...(sslkey !== undefined && { key: readFileSync(sslkey) }),
  }
}
