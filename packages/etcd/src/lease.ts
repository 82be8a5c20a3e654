import type { Clock, Proof } from '@locks/core/backend'
import type { ILeaseKeepAliveResponse } from 'etcd3'
import { leaseIsGone, unknown } from './failures.ts'
import type { CallOptions, Members } from './members.ts'
import type { Etcd3 } from 'etcd3'

export interface Kept {
  /** Milliseconds; 0: there is no such lease. */
  readonly ttl: number
  /** The term of the last entry that the member had applied before it asked for the renewal. */
  readonly term: string
}

/** The lease that keeps all entries of a session. */
export class Lease {
  /** As etcd's messages have it. */
  readonly id: string
  /** As it stands in keys. */
  readonly hex: string
  /** Milliseconds, as granted. */
  readonly ttl: number
  readonly #members: Members

  constructor(id: string, ttl: number, members: Members) {
    this.id = id
    this.hex = BigInt(id).toString(16)
    this.ttl = ttl
    this.#members = members
  }

  /** The grant is an entry of the log, so whoever lets the lease expire counts from after `sent`. */
  static async grant(members: Members, ttl: number, clock: Clock): Promise<{ lease: Lease; proof: Proof }> {
    const sent = clock.now()
    const { ID, TTL } = await members.call((client, options) => {
      return client.leaseClient.leaseGrant({ TTL: Math.ceil(ttl / 1_000) }, options)
    })
    const lease = new Lease(ID, Number(TTL) * 1_000, members)
    return { lease, proof: { sent, ttl: lease.ttl } }
  }

  /** Alone it proves nothing: a leader that has lost its followers says yes as well. */
  async keepAlive(within: number): Promise<Kept> {
    const { TTL, header } = await this.#members.callNow(
      (client, options) => keepAliveOnce(client, this.id, options),
      within,
    )
    return { ttl: Number(TTL) * 1_000, term: header.raft_term }
  }

  /** The keys that are under it, as the leader has them: it may be a moment behind what it has confirmed. */
  async keys(): Promise<Buffer[]> {
    const { keys } = await this.#members.callNow((client, options) => {
      return client.leaseClient.leaseTimeToLive({ ID: this.id, keys: true }, options)
    }, this.#members.patience)
    return keys
  }

  /** Ends it, and with it all that is under it. */
  revoke(): Promise<void> {
    return revokeLease(this.#members, this.id)
  }
}

/** Settles also if it had ended before. */
export function revokeLease(members: Members, id: string): Promise<void> {
  return members.callNow(async (client, options) => {
    try {
      await client.leaseClient.leaseRevoke({ ID: id }, options)
    } catch (error) {
      if (!leaseIsGone(error)) throw error
    }
  }, members.patience)
}

/** The call is a stream in the protocol; one question on it is all that is needed. */
async function keepAliveOnce(client: Etcd3, id: string, options: CallOptions): Promise<ILeaseKeepAliveResponse> {
  const stream = await client.leaseClient.leaseKeepAlive(options)
  return new Promise((resolve, reject) => {
    stream.on('data', resolve)
    stream.on('error', reject)
    stream.on('end', () => reject(unknown('etcd ended the renewal without an answer')))
    stream.write({ ID: id })
    stream.end()
  })
}
