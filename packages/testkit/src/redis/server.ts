import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { freePort } from '../ports.ts'
import { findRequired } from '../requirements.ts'
import { Server } from '../server.ts'
import type { Certificates } from '../certificates.ts'
import { dataSettings, redisFolder, tlsSettings, type Settings } from './config.ts'

export interface RedisOptions {
  /** Keeps an append-only file (`appendfsync everysec`): the data survives a `restart`. */
  readonly appendonly?: boolean
  /** Further settings, as `redis.conf` has them. */
  readonly config?: Settings
  /** ACL users, each as `user` lines of `redis.conf` have them: `app on >secret ~* &* +@all`. */
  readonly users?: readonly string[]
  /** Speaks TLS, and nothing else. */
  readonly tls?: Certificates
  readonly port?: number
  /** A command that runs it and becomes it. */
  readonly by?: readonly string[]
}

interface Launched {
  readonly tls?: Certificates | undefined
  readonly sentinel?: boolean
  readonly by?: readonly string[] | undefined
}

export class RedisServer extends Server {
  readonly port: number
  readonly url: string
  readonly #tls: Certificates | undefined

  /** In a folder with a `redis.conf`. */
  constructor(folder: string, port: number, { tls, sentinel, by = [] }: Launched = {}) {
    super({
      executable: 'redis-server',
      by,
      args: ['redis.conf', ...(sentinel ? ['--sentinel'] : [])],
      folder,
      ready: sentinel ? /Sentinel ID is/ : /Ready to accept connections/,
    })
    this.port = port
    this.url = `${tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`
    this.#tls = tls
  }

  /**
   * What `redis-cli` prints for a command; an error answer is thrown. Options of its own may come first: `--user`,
   * `--pass`. Gives up on a server that does not answer for 10 s.
   */
  async cli(...args: string[]): Promise<string> {
    const tls = this.#tls ? ['--tls', '--cacert', this.#tls.ca] : []
    const options = ['-h', '127.0.0.1', '-p', String(this.port), '-e', '--no-auth-warning', ...tls]
    const { stdout } = await promisify(execFile)(findRequired('redis-cli'), [...options, ...args], {
      timeout: 10_000,
    })
    return stdout.trimEnd()
  }
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { appendonly = false, config, users = [], tls, by } = options
  const port = options.port ?? (await freePort())
  const settings = {
    ...dataSettings,
    appendonly: appendonly ? 'yes' : 'no',
    ...(tls && tlsSettings(tls, port)),
    // Or it takes the one that lies 10,000 higher, which may be anybody's.
    ...(config?.['cluster-enabled'] && { 'cluster-port': String(await freePort()) }),
    ...config,
  }
  const folder = await redisFolder(
    port,
    settings,
    users.map((user) => `user ${user}`),
  )
  const server = new RedisServer(folder, port, { tls, by })
  await server.start()
  return server
}
