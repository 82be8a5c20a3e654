import { readFileSync } from 'node:fs'
import {
  checkOptions,
  invalid,
  optionsFromQuery,
  shown,
  splitAuthority,
  splitUrl,
  text,
  type Check,
  type Checked,
} from '@locks/core/backend'

export interface EtcdOptions {
  /** `etcd:` or `etcds:`, which is TLS. Its query string may hold the other options. */
  readonly url: string
  /** What all keys begin with, before a slash: `'locks'` unless said otherwise. */
  readonly prefix?: string | undefined
  /** A file with the certificates of the authorities that the servers' are trusted by, in place of Node's own (PEM). */
  readonly ca?: string | undefined
  /** A file with the client's certificate (PEM), and one with its key. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** Where the members of the cluster are, and how they are spoken to. */
export interface Location {
  /** At least one, `host:port`, in the order in which they are tried. */
  readonly members: readonly string[]
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly tls: boolean
  readonly ca?: Buffer | undefined
  readonly cert?: Buffer | undefined
  readonly key?: Buffer | undefined
}

export interface Settings {
  readonly location: Location
  readonly prefix: string
}

const prefix: Check<string> = {
  fromText: (given) => given,
  check(value, label) {
    if (typeof value === 'string' && /^[A-Za-z0-9:._/-]{1,64}$/.test(value) && !value.endsWith('/')) return value
    throw invalid(
      `${label} must be 1 to 64 letters, digits, slashes, colons, dots, dashes or underscores, and end in no slash;` +
        ` got ${shown(value)}`,
    )
  },
}

const path = text(4_096)
const inUrl = { prefix, ca: path, cert: path, key: path }
const inCode = { ...inUrl, url: text(65_536) }

type Given = Checked<typeof inUrl>

export function settingsFromOptions(given: unknown): Settings {
  const { url, ...rest } = checkOptions(given, inCode)
  if (url === undefined) throw invalid('etcd() needs { url }')
  return settingsFromUrl(url, rest)
}

export function settingsFromUrl(url: string, given: Given = {}): Settings {
  const parts = splitUrl(url)
  const { scheme } = parts
  if (scheme !== 'etcd' && scheme !== 'etcds') {
    throw invalid(`${shown(`${scheme}:`)} is not an etcd URL; known are etcd, etcds`)
  }
  // The rest of a password, from its question mark on, must not be taken for an option that a message may name.
  if (parts.query.includes('@') && !parts.rest.includes('@')) {
    throw invalid(`this ${scheme}: URL is malformed: in a password ? is written %3F, and in an option @ is %40`)
  }
  const options = { ...optionsFromQuery(parts.query, inUrl), ...given }
  const { username, password, hosts, path: rest } = splitAuthority(parts)
  if (rest !== '') throw invalid(`the path of an ${scheme}: URL must be empty; keys begin with the option prefix`)
  if ((username === undefined) !== (password === undefined)) {
    throw invalid(`an ${scheme}: URL has a user and a password, or neither`)
  }
  const tls = scheme === 'etcds'
  return {
    prefix: options.prefix ?? 'locks',
    location: {
      members: hosts.map(({ host, port = 2_379 }) => `${host.includes(':') ? `[${host}]` : host}:${port}`),
      username,
      password,
      tls,
      ...certificates(options, tls),
    },
  }
}

function certificates({ ca, cert, key }: Given, tls: boolean): Pick<Location, 'ca' | 'cert' | 'key'> {
  if (!tls && (ca ?? cert ?? key) !== undefined) throw invalid('ca, cert and key are for etcds:')
  if ((cert === undefined) !== (key === undefined)) throw invalid('cert and key belong together')
  return { ca: fileOf('ca', ca), cert: fileOf('cert', cert), key: fileOf('key', key) }
}

function fileOf(option: string, file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file)
  } catch (error) {
    throw invalid(
      `the file ${shown(file)} of the option ${option} cannot be read: ${String((error as { code?: unknown }).code)}`,
    )
  }
}
