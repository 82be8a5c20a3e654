import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import type { Certificates } from '../certificates.ts'
import { keeper } from '../keeper/keeper.ts'
import { freePorts } from '../ports.ts'
import { findRequired } from '../requirements.ts'
import { Server } from '../server.ts'
import { enableAuth, rootPassword, type EtcdUser } from './auth.ts'

export interface EtcdOptions {
  /** How long, ms, a follower waits for its leader. Leases are granted for at least 1.5 times that, in whole seconds. */
  readonly electionTimeout?: number
  /** How often, ms, a leader is heard of: a tenth of that if not given. */
  readonly heartbeat?: number
  /** Users beside `root`, each with a role of its own; with any, authentication is on. */
  readonly users?: readonly EtcdUser[]
  /** Speaks TLS to clients, and nothing else. */
  readonly tls?: Certificates
  /** Wants certificates of clients, by the authority of `tls`. */
  readonly clientCertificates?: boolean
  /** Further flags. */
  readonly flags?: readonly string[]
}

export interface Member {
  readonly name: string
  readonly clientPort: number
  readonly peerPort: number
  /** All members, as each of them is told: `name=url,...`. */
  readonly cluster: string
}

export class EtcdServer extends Server {
  readonly port: number
  readonly url: string
  readonly #ctl: readonly string[]
  #root: readonly string[] = []

  constructor(folder: string, member: Member, options: EtcdOptions) {
    const { tls, clientCertificates = false } = options
    super({
      executable: 'etcd',
      args: argsOf(member, options),
      folder,
      ready: /"serving client traffic/,
    })
    this.port = member.clientPort
    this.url = `${tls ? 'etcds' : 'etcd'}://127.0.0.1:${this.port}`
    const secured = tls ? ['--cacert', tls.ca] : []
    const certified = tls && clientCertificates ? ['--cert', tls.cert, '--key', tls.key] : []
    this.#ctl = [`--endpoints=http${tls ? 's' : ''}://127.0.0.1:${this.port}`, ...secured, ...certified]
  }

  /** What `etcdctl` prints, as root where there are users; an error is thrown. It gives up after 5 s. */
  async ctl(...args: string[]): Promise<string> {
    const options = { env: { ...process.env, ETCDCTL_API: '3' }, timeout: 10_000, maxBuffer: 64 * 1024 * 1024 }
    const { stdout } = await promisify(execFile)(
      findRequired('etcdctl'),
      [...this.#ctl, ...this.#root, ...args],
      options,
    )
    return stdout.trimEnd()
  }

  /** The keys that begin with this. */
  async keys(prefix = ''): Promise<string[]> {
    return (await this.ctl('get', prefix, '--prefix', '--keys-only')).split('\n').filter((line) => line !== '')
  }

  /** The ids of all leases, as `etcdctl` takes them. */
  async leases(): Promise<string[]> {
    return (await this.ctl('lease', 'list')).split('\n').slice(1)
  }

  /** From now on {@link ctl} says who it is. */
  becomeRoot(): void {
    this.#root = [`--user=root:${rootPassword}`]
  }
}

export async function startEtcd(options: EtcdOptions = {}): Promise<EtcdServer> {
  const [clientPort, peerPort] = (await freePorts(2)) as [number, number]
  const name = 'etcd'
  const member = { name, clientPort, peerPort, cluster: `${name}=http://127.0.0.1:${peerPort}` }
  const server = await launch(member, options)
  if (options.users) await enableAuth([server], options.users)
  return server
}

/** Starts a member, and resolves once it has a leader and serves clients. */
export async function launch(member: Member, options: EtcdOptions): Promise<EtcdServer> {
  const server = new EtcdServer(await keeper().call('folder', 'etcd'), member, options)
  await server.start()
  return server
}

function argsOf({ name, clientPort, peerPort, cluster }: Member, options: EtcdOptions): string[] {
  const { electionTimeout = 1_000, heartbeat = electionTimeout / 10, tls, clientCertificates, flags = [] } = options
  const client = `http${tls ? 's' : ''}://127.0.0.1:${clientPort}`
  const advertised = cluster.split(',').find((each) => each.startsWith(`${name}=`)) ?? ''
  const flagged = {
    name,
    'data-dir': join('.', 'data'),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': `http://127.0.0.1:${peerPort}`,
    'initial-advertise-peer-urls': advertised.slice(name.length + 1),
    'initial-cluster': cluster,
    'heartbeat-interval': heartbeat,
    'election-timeout': electionTimeout,
    logger: 'zap',
    'log-level': 'info',
    // As fast as it goes: nobody cracks passwords of tests.
    'bcrypt-cost': 4,
    // A process that is killed loses nothing for it, only a machine would.
    'unsafe-no-fsync': true,
    ...(tls && { 'cert-file': tls.cert, 'key-file': tls.key }),
    ...(tls && clientCertificates && { 'trusted-ca-file': tls.ca, 'client-cert-auth': true }),
  }
  return [...Object.entries(flagged).map(([flag, value]) => `--${flag}=${value}`), ...flags]
}
