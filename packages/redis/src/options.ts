import {
  boolean,
  checkOptions,
  instance,
  integer,
  invalid,
  milliseconds,
  optionsFromQuery,
  shown,
  splitAuthority,
  splitUrl,
  text,
  type Check,
  type Checked,
  type SplitUrl,
} from '@locks/core/backend'
import type { Cluster, Redis } from 'ioredis'

/** An ioredis client, also one behind Sentinel. */
export type RedisClient = Redis | Cluster

export interface RedisOptions {
  /** `redis:`, `rediss:`, `redis+sentinel:` or `redis+cluster:`. Its query string may hold the other options. */
  readonly url?: string | undefined
  /**
   * A client that the application owns, in place of a URL: it is used for commands, its settings for one connection
   * more, and it is never closed. What it retries, queues and times out is as it was made.
   */
  readonly client?: RedisClient | undefined
  /** What all keys and channels begin with, before a colon: `'locks'` unless said otherwise. */
  readonly prefix?: string | undefined
  /**
   * How many replicas must have a grant or a renewal before it counts, 0 unless said otherwise. A grant that is not
   * confirmed by so many (WAIT) is given back. It narrows the window in which a failover forgets a lock, and does not
   * close it.
   */
  readonly acknowledge?: number | undefined
  /**
   * Milliseconds to wait for them, at most a third of the ttl: 250 unless said otherwise. Other commands of the
   * connection wait as long.
   */
  readonly acknowledgeTimeout?: number | undefined
  /** Milliseconds for which a name's last token outlives its last use: a day unless said otherwise. */
  readonly remember?: number | undefined
  /**
   * Whether a server that was started less than a ttl ago and keeps nothing on disk grants nothing until then, because
   * it may have forgotten locks that are still believed in. True unless said otherwise.
   */
  readonly restartGrace?: boolean | undefined
  /** TLS, also where the scheme does not say so: `redis+sentinel:`, `redis+cluster:`. */
  readonly tls?: boolean | undefined
  readonly sentinelUsername?: string | undefined
  readonly sentinelPassword?: string | undefined
  /**
   * Where the servers are that Sentinel or the cluster names, `host:port` by `host:port`, if that is not where they say:
   * behind NAT, in containers. In code only.
   */
  readonly natMap?: NatMap | undefined
}

export type NatMap = Readonly<Record<string, { readonly host: string; readonly port: number }>>

/** Where a client of the adapter's own connects to. */
export interface Location {
  readonly form: 'standalone' | 'sentinel' | 'cluster'
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly db: number
  readonly master?: string | undefined
  readonly tls: boolean
  readonly sentinelUsername?: string | undefined
  readonly sentinelPassword?: string | undefined
  readonly natMap?: NatMap | undefined
}

export interface Settings {
  readonly target: RedisClient | Location
  readonly prefix: string
  readonly acknowledge: number
  readonly acknowledgeTimeout: number
  readonly remember: number
  readonly restartGrace: boolean
}

const prefix: Check<string> = {
  fromText: (given) => given,
  check(value, label) {
    if (typeof value === 'string' && /^[A-Za-z0-9:._-]{1,64}$/.test(value)) return value
    throw invalid(`${label} must be 1 to 64 letters, digits, colons, dots, dashes or underscores; got ${shown(value)}`)
  },
}

/** Longer than the longest ttl, so that no entry outlives the key that it is in. */
const rememberDefault = 86_400_000

const common = {
  prefix,
  acknowledge: integer(0, 100),
  acknowledgeTimeout: milliseconds(1, 60_000),
  remember: milliseconds(1_000, 30 * 86_400_000),
  restartGrace: boolean,
}
/** What is wrong with it is said without it. */
const secret: Check<string> = {
  fromText: (given) => given,
  check(value, label) {
    if (typeof value === 'string' && value.length <= 1_024) return value
    throw invalid(`${label} must be a string of at most 1024 characters`)
  },
}

const located = { ...common, tls: boolean, sentinelUsername: text(1_024), sentinelPassword: secret }
const inCode = {
  ...located,
  natMap: instance('an object of { host, port } by "host:port"', isNatMap),
  url: text(65_536),
  client: instance('an ioredis Redis or Cluster', isClient),
}

type Located = Checked<typeof located> & { readonly natMap?: NatMap | undefined }

export function settingsFromOptions(given: unknown): Settings {
  const { url, client, ...rest } = checkOptions(given, inCode)
  if (url !== undefined && client === undefined) return settingsFromUrl(url, rest)
  if (client === undefined || url !== undefined) throw invalid('redis() needs either { url } or { client }')
  for (const option of ['tls', 'sentinelUsername', 'sentinelPassword', 'natMap'] as const) {
    if (rest[option] !== undefined) throw invalid(`${option} is for a url; a client has its own settings`)
  }
  return settings(client, rest)
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

function settings(target: RedisClient | Location, given: Checked<typeof common>): Settings {
  return {
    target,
    prefix: given.prefix ?? 'locks',
    acknowledge: given.acknowledge ?? 0,
    acknowledgeTimeout: given.acknowledgeTimeout ?? 250,
    remember: given.remember ?? rememberDefault,
    restartGrace: given.restartGrace ?? true,
  }
}

const forms = {
  redis: 'standalone',
  rediss: 'standalone',
  'redis+sentinel': 'sentinel',
  'redis+cluster': 'cluster',
} as const

function locationOf(parts: SplitUrl, options: Located): Location {
  const { scheme } = parts
  const form = forms[scheme as keyof typeof forms] as Location['form'] | undefined
  if (!form) throw invalid(`${shown(`${scheme}:`)} is not a Redis URL; known are ${Object.keys(forms).join(', ')}`)
  const { username, password, hosts, path } = splitAuthority(parts)
  const { tls = scheme === 'rediss', sentinelUsername, sentinelPassword, natMap } = options
  if (scheme === 'rediss' && !tls) throw invalid('rediss: means TLS; write redis: without it')
  if (form === 'standalone' && hosts.length > 1) {
    throw invalid(`${scheme}: names one host; for several there are redis+sentinel: and redis+cluster:`)
  }
  if (form !== 'sentinel' && (sentinelUsername !== undefined || sentinelPassword !== undefined)) {
    throw invalid('sentinelUsername and sentinelPassword are for redis+sentinel:')
  }
  const port = form === 'sentinel' ? 26_379 : 6_379
  return {
    form,
    hosts: hosts.map((each) => ({ host: each.host, port: each.port ?? port })),
    username,
    password,
    tls,
    sentinelUsername,
    sentinelPassword,
    natMap,
    ...pathOf(form, path),
  }
}

/** A database, or with Sentinel the master's name and a database. */
function pathOf(form: Location['form'], path: string): { readonly db: number; readonly master?: string } {
  const segments = path === '' ? [] : path.split('/')
  const master = form === 'sentinel' ? segments.shift() : undefined
  if (form === 'sentinel' && !master) {
    throw invalid('redis+sentinel: names the master after the hosts: redis+sentinel://host1,host2/mymaster')
  }
  const [db = '0', ...more] = segments
  if (form === 'cluster' && segments.length > 0) throw invalid('redis+cluster: has no databases')
  if (!/^\d{1,5}$/.test(db) || more.length > 0)
    throw invalid('the path of a Redis URL must be the number of a database')
  return master === undefined ? { db: Number(db) } : { db: Number(db), master }
}

function isNatMap(value: unknown): value is NatMap {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((to: unknown) => {
    return typeof to === 'object' && to !== null && 'host' in to && 'port' in to
  })
}

export function isClient(value: unknown): value is RedisClient {
  if (typeof value !== 'object' || value === null) return false
  return 'evalsha' in value && 'duplicate' in value && 'isCluster' in value && 'options' in value
}
