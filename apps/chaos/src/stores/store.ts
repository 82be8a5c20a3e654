import type { Adapter } from '@locks/core'
import type { NetworkHost, Proxy } from '@locks/testkit'
import type { Clock } from '../clock/shim.ts'
import type { Fault } from '../nemesis/fault.ts'
import type { Line } from '../nemesis/lines.ts'
import type { Way } from '../work/open.ts'

/** A store as the campaign runs it: how it is started, what may befall it, what it assumes. */
export interface Store {
  readonly name: string
  /** Whose servers it runs, if not those of the first part of its name. */
  readonly backend?: string
  /** The ttl of all locks: the shortest at which this store and machine keep their promises, ms. */
  readonly ttl: number
  /** Whether what it keeps for a client goes with the client's session, so that a new one may have to wait for that. */
  readonly sessions?: boolean
  /** `servers`: the wall clock of the servers, which is the true one until a fault sets it. */
  start(servers: Clock | undefined): Promise<Deployment>
}

export interface Deployment {
  /** The way without faults on it, at the moment. */
  readonly way: Way
  /** The campaign's own, where it differs. */
  readonly aside?: Way
  /** Where clients run, if not on this one. */
  readonly host?: NetworkHost
  /** Its servers, if clients reach it by a network: each client's way goes through a proxy. */
  readonly network?: Network
  /** Given if the store is in this process, and so its clients. */
  readonly local?: Local
  readonly faults: readonly Fault[]
  /** What is at the store of sessions, holders and waiters; nothing, when nobody is there. */
  left(): Promise<readonly string[]>
  end(): Promise<void>
}

export interface Network {
  readonly ports: readonly number[]
  readonly framing: Parameters<Proxy['line']>[0]['framing']
  /** The way by these ports, in the same order. */
  through(ports: readonly number[]): Way
  /** Whether a connection that fails can end a lock before its holder knows. */
  readonly connectionIsLock?: boolean
  /** Whether the servers know nothing of each other, and a client's way to each fails by itself. */
  readonly apart?: boolean
}

interface Local {
  /** One more client, and its line. */
  client(): { readonly adapter: Adapter; readonly line: Omit<Line, 'probes'> }
}
