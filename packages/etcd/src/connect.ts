import { readFileSync } from 'node:fs'
import { env } from 'node:process'
import * as tls from 'node:tls'
import { Etcd3, KVClient, type IOptions } from 'etcd3'
import type { Location } from './options.ts'

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>

/**
 * Does what it is told once. The driver's own policies repeat calls of unknown outcome, and keep others back for seconds
 * once some have failed; core repeats, and knows for how long.
 */
const once = { execute: async (call: (context: object) => unknown) => call({}) } as unknown as Policy

/** Its calls about keys skip the policies, which have nothing to do, and are a twentieth of what a call costs. */
class Client extends Etcd3 {
  override readonly kv = new KVClient({
    callOptionsFactory: undefined,
    withConnection: (service, run) => this.pool.withConnection(service, run),
    markFailed: () => {},
    exec: (service, method, request, options) =>
      this.pool.withConnection(service, ({ client, metadata }) => {
        const calls = client as unknown as Readonly<Record<string, (...given: readonly unknown[]) => void>>
        return new Promise((resolve, reject) => {
          calls[method]?.(request, metadata, options, (error: unknown, answer: never) => {
            if (error) reject(error as Error)
            else resolve(answer)
          })
        })
      }),
  })
}

let connections = 0

/**
 * A client of one member. Its services share a connection that no other client has: gRPC would use one for all clients
 * whose options are the same. `patience` is how long a call may take that says nothing else.
 */
export function clientOf(member: string, location: Location, patience: number): Etcd3 {
  const { username, password, tls: secure, ca, cert, key } = location
  return new Client({
    hosts: `${secure ? 'https' : 'http'}://${member}`,
    ...(username !== undefined && password !== undefined && { auth: { username, password } }),
    ...(secure && { credentials: credentialsOf(ca ?? trusted(), cert, key) }),
    faultHandling: { host: () => once, global: once },
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + patience }),
    grpcOptions: {
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 500,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'locks.connection': ++connections,
    },
  })
}

function credentialsOf(ca: Buffer, cert?: Buffer, key?: Buffer): NonNullable<IOptions['credentials']> {
  return { rootCertificate: ca, ...(key && { privateKey: key }), ...(cert && { certChain: cert }) }
}

let roots: Buffer | undefined

/** The authorities that Node trusts, of which gRPC would leave out those of `NODE_EXTRA_CA_CERTS`. */
function trusted(): Buffer {
  roots ??= Buffer.from((authorities() ?? [...tls.rootCertificates, extraAuthorities()]).join('\n'))
  return roots
}

/** Undefined before Node.js 22.15. */
function authorities(): string[] | undefined {
  const { getCACertificates: get } = tls as { getCACertificates?: (type: 'default') => string[] }
  return get?.('default')
}

/** A file that cannot be read is as good as none; Node has warned of it. */
function extraAuthorities(): string {
  try {
    return readFileSync(env['NODE_EXTRA_CA_CERTS'] ?? '', 'utf8')
  } catch {
    return ''
  }
}
