import {
  checkOptions,
  invalid,
  oneOf,
  optionsFromQuery,
  shown,
  splitAuthority,
  splitUrl,
  type Check,
  type Checked,
} from '@locks/core/backend'
import type { Credentials, Server } from './connection.ts'
import type { Acl } from './operations.ts'

export interface ZookeeperOptions {
  /**
   * `zookeeper://user:password@host1:2181,host2,host3/root`. The user is authenticated by digest; the root is `/locks`
   * unless said otherwise. Its query string may hold the other options.
   */
  readonly url: string
  /**
   * Who may do what with the nodes that are made: `creator`, nobody but the user of the URL; `open`, everybody who
   * reaches the servers. Unless said otherwise, `creator` where the URL names a user.
   */
  readonly acl?: 'creator' | 'open' | undefined
}

export interface Settings {
  readonly servers: readonly Server[]
  readonly credentials?: Credentials | undefined
  readonly root: string
  readonly acl: readonly Acl[]
}

const everything = 31
const acls = {
  creator: [{ permissions: everything, scheme: 'auth', id: '' }],
  open: [{ permissions: everything, scheme: 'world', id: 'anyone' }],
} as const

const inUrl = { acl: oneOf('creator', 'open') }
/** What is wrong with it is said without it. */
const url: Check<string> = {
  fromText: (given) => given,
  check(value, label) {
    if (typeof value === 'string' && value.length <= 65_536) return value
    throw invalid(`${label} must be a string such as "zookeeper://host1,host2,host3/root"`)
  },
}
const inCode = { ...inUrl, url }

export function settingsFromOptions(given: unknown): Settings {
  const { url, ...rest } = checkOptions(given, inCode)
  if (url === undefined) throw invalid('zookeeper() needs { url }')
  return settingsFromUrl(url, rest)
}

export function settingsFromUrl(url: string, given: Checked<typeof inUrl> = {}): Settings {
  const parts = splitUrl(url)
  // The rest of a password, from its question mark on, must not be taken for an option that a message may name.
  if (parts.query.includes('@') && !parts.rest.includes('@')) {
    throw invalid('this zookeeper: URL is malformed: in a password ? is written %3F, and in an option @ is %40')
  }
  if (parts.scheme !== 'zookeeper') throw invalid(`${shown(`${parts.scheme}:`)} is not a ZooKeeper URL; zookeeper: is`)
  const { username, password, hosts, path } = splitAuthority(parts)
  const { acl = username === undefined ? 'open' : 'creator' } = { ...optionsFromQuery(parts.query, inUrl), ...given }
  if ((username === undefined) !== (password === undefined)) {
    throw invalid('this zookeeper: URL is malformed: it needs both a user and a password, or neither')
  }
  if (acl === 'creator' && username === undefined) throw invalid('acl=creator needs a user and a password in the URL')
  return {
    servers: hosts.map(({ host, port = 2_181 }) => ({ host, port })),
    ...(username !== undefined && password !== undefined && { credentials: { username, password } }),
    root: rootOf(path),
    acl: acls[acl],
  }
}

/** ZooKeeper's own nodes are under `/zookeeper`, where anybody may write. */
function rootOf(path: string): string {
  if (path === '') return '/locks'
  const root = `/${path}`
  if (!/^(?:\/(?!\.{1,2}(?:\/|$))[\w.:-]{1,100}){1,10}$/.test(root)) {
    throw invalid(
      `the path of a ZooKeeper URL must be made of letters, digits, dots, colons, - and _; got ${shown(root)}`,
    )
  }
  if (/^\/zookeeper(?:\/|$)/.test(root)) throw invalid('the path of a ZooKeeper URL must not be under /zookeeper')
  return root
}
