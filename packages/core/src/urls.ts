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
  if (!parts) {
    const hash = url.includes('#') ? '; a # in it is written %23' : ''
    throw invalid(`a backend's URL must look like "memory:", "sqlite:path" or "redis://host"${hash}`)
  }
  return { scheme: (parts[1] ?? '').toLowerCase(), rest: parts[2] ?? '', query: parts[3] ?? '' }
}

export interface Host {
  readonly host: string
  readonly port?: number | undefined
}

export interface Authority {
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** At least one, in the order given. */
  readonly hosts: readonly Host[]
  /** Decoded, without the slash that begins it. */
  readonly path: string
}

/** `//user:password@host:port,host:port/path` in its parts, percent-decoded. Errors name the scheme and nothing else. */
export function splitAuthority({ scheme, rest }: SplitUrl): Authority {
  const parts = /^\/\/(?:([^@/]*)@)?([^@/]+)(?:\/(.*))?$/s.exec(rest)
  if (!parts) throw malformed(scheme, 'it must name a host after //')
  const [, userinfo, hosts = '', path = ''] = parts
  const [username, ...password] = userinfo?.split(':') ?? []
  return {
    ...(username && { username: decoded(scheme, username) }),
    ...(password.length > 0 && { password: decoded(scheme, password.join(':')) }),
    hosts: hosts.split(',').map((each) => hostOf(scheme, each)),
    path: decoded(scheme, path),
  }
}

function hostOf(scheme: string, text: string): Host {
  const parts = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/i.exec(text)
  const port = parts?.[3] === undefined ? undefined : Number(parts[3])
  if (!parts || (port !== undefined && (port < 1 || port > 65_535))) {
    throw malformed(
      scheme,
      'each host must be a name or an address, [in brackets] if IPv6, with a port from 1 to 65535',
    )
  }
  const host = parts[1] ?? decoded(scheme, parts[2] ?? '')
  return port === undefined ? { host } : { host, port }
}

function decoded(scheme: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw malformed(scheme, 'it is wrongly percent-encoded; a percent sign is written %25')
  }
}

const malformed = (scheme: string, why: string) => invalid(`this ${scheme}: URL is malformed: ${why}`)
