import {
  boolean,
  checkOptions,
  instance,
  invalid,
  oneOf,
  optionsFromQuery,
  shown,
  splitAuthority,
  splitUrl,
  text,
  type Check,
  type Checked,
  type SplitUrl,
} from '@locks/core/backend'
import type { ClientConfig } from 'pg'

export interface PostgresOptions {
  /** `postgres:` or `postgresql:`. Its query string may hold the other options, but for `config`. */
  readonly url?: string | undefined
  /**
   * What `pg` connects with, in place of a URL: for certificates, a password that is asked for, a socket of one's own. The
   * adapter makes its own connections from it, since a lock is a connection: a pool cannot be shared.
   */
  readonly config?: ClientConfig | undefined
  /**
   * Where the tables and functions are: `'locks'` unless said otherwise. `null`, in a URL `none`: there are none, and with
   * them goes all but exclusive locks without order and token.
   */
  readonly schema?: string | null | undefined
  /**
   * Whether grants wait, after a start or a crash of the server, until nobody can believe any more in a lock that it has
   * forgotten. True unless said otherwise.
   */
  readonly restartGrace?: boolean | undefined
  /**
   * TLS, as libpq means it: `require` encrypts, `verify-ca` also checks who has signed the server's certificate,
   * `verify-full` also its name. `disable` unless said otherwise.
   */
  readonly sslmode?: SslMode | undefined
  /** A file with the authorities to trust, in place of those of Node.js. */
  readonly sslrootcert?: string | undefined
  /** Files with the client's own certificate and its key. */
  readonly sslcert?: string | undefined
  readonly sslkey?: string | undefined
}

export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full'

export interface Settings {
  readonly config: ClientConfig | Location
  readonly schema: string | null
  readonly restartGrace: boolean
}

/** What a URL says. Files are read when it is connected to. */
export interface Location {
  readonly host: string
  readonly port: number
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly database?: string | undefined
  readonly sslmode: SslMode
  readonly sslrootcert?: string | undefined
  readonly sslcert?: string | undefined
  readonly sslkey?: string | undefined
}

const schema: Check<string | null> = {
  fromText: (given) => (given === 'none' ? null : given),
  check(value, label) {
    if (value === null) return value
    if (typeof value === 'string' && /^[a-z_][a-z0-9_]{0,47}$/.test(value) && !value.startsWith('pg_')) return value
    throw invalid(
      `${label} must be 1 to 48 lower-case letters, digits or underscores, not begin with a digit or "pg_"; got ${shown(value)}`,
    )
  },
}

const sslModes: Check<SslMode> = oneOf('disable', 'require', 'verify-ca', 'verify-full')
const common = { schema, restartGrace: boolean }
const tls = { sslmode: sslModes, sslrootcert: text(4_096), sslcert: text(4_096), sslkey: text(4_096) }
const located = { ...common, ...tls }
const inCode = { ...located, url: text(65_536), config: instance('the options of a pg.Client', isConfig) }

type Located = Checked<typeof located>

export function settingsFromOptions(given: unknown): Settings {
  const { url, config, ...rest } = checkOptions(given, inCode)
  if (url !== undefined && config === undefined) return settingsFromUrl(url, rest)
  if (config === undefined || url !== undefined) throw invalid('postgres() needs either { url } or { config }')
  const own = Object.keys(tls).find((option) => rest[option as keyof typeof tls] !== undefined)
  if (own !== undefined) throw invalid(`${own} is for a url; a config has its own ssl`)
  return settings(config, rest)
}

export function settingsFromUrl(url: string, given: Located = {}): Settings {
  const parts = splitUrl(url)
  // The rest of a password, from its question mark on, must not be taken for an option that a message may name.
  if (parts.query.includes('@') && !parts.rest.includes('@')) {
    throw invalid(`this ${parts.scheme}: URL is malformed: in a password ? is written %3F, and in an option @ is %40`)
  }
  const options = { ...optionsFromQuery(parts.query, located), ...given }
  return settings(locationOf(parts, options), options)
}

function settings(config: ClientConfig | Location, given: Checked<typeof common>): Settings {
  return {
    config,
    schema: given.schema === undefined ? 'locks' : given.schema,
    restartGrace: given.restartGrace ?? true,
  }
}

function locationOf(parts: SplitUrl, options: Located): Location {
  const { scheme } = parts
  if (scheme !== 'postgres' && scheme !== 'postgresql') {
    throw invalid(`${shown(`${scheme}:`)} is not a Postgres URL; known are postgres: postgresql:`)
  }
  const { username, password, hosts, path } = splitAuthority(parts)
  const [first, ...more] = hosts
  if (!first || more.length > 0) {
    throw invalid(`${scheme}: names one host: a lock is held by one server, and by no standby of it`)
  }
  const { sslmode = 'disable', sslrootcert, sslcert, sslkey } = options
  if (sslmode === 'disable' && (sslrootcert ?? sslcert ?? sslkey) !== undefined) {
    throw invalid('sslrootcert, sslcert and sslkey need an sslmode other than "disable"')
  }
  if ((sslcert === undefined) !== (sslkey === undefined)) throw invalid('sslcert and sslkey go together')
  return {
    host: first.host,
    port: first.port ?? 5_432,
    user: username,
    password,
    database: path === '' ? undefined : path,
    sslmode,
    sslrootcert,
    sslcert,
    sslkey,
  }
}

/** Neither a client nor a pool, which somebody might take for what is meant. */
function isConfig(value: unknown): value is ClientConfig {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('query' in value)
}
