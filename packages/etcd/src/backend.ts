import {
  LockError,
  type Backend,
  type Capabilities,
  type Session,
  type SessionOptions,
  warn,
} from '@locks/core/backend'
import { clientOf } from './connect.ts'
import { inspect, type Notice } from './deployment.ts'
import { Keys } from './keys.ts'
import { Lease, revokeLease } from './lease.ts'
import { Members } from './members.ts'
import type { Settings } from './options.ts'
import { EtcdSession } from './session.ts'

const capabilities: Capabilities = {
  scope: 'network',
  fencing: 'durable',
  order: 'fifo',
  shared: true,
  semaphore: true,
  steal: true,
  sets: 'ordered',
  elections: true,
  listing: 'complete',
  reconnects: true,
  // The least that a server grants with the default election time-out.
  ttl: { min: 2_000, max: 86_400_000 },
  takeover: 2_000,
}

export function backendOn(settings: Settings): Backend {
  const told = new Set<string>()
  const notice: Notice = (code, message) => {
    if (told.has(code)) return
    told.add(code)
    warn(code, message)
  }
  const orphans: Orphans = new Map()
  return { name: 'etcd', capabilities, open: (options) => open(settings, options, notice, orphans) }
}

/** Leases of sessions that ended where the store could not be told, and whose they were. */
type Orphans = Map<string, SessionOptions['clientId']>

async function open(
  { location, prefix }: Settings,
  options: SessionOptions,
  notice: Notice,
  orphans: Orphans,
): Promise<Session> {
  const { clock, ttl, namespace, clientId } = options
  // Longer than core waits before it repeats a call, and short enough that another connection can still save what is held.
  const patience = Math.min(Math.max(ttl / 2, 500), 5_000)
  const connect = (member: string) => clientOf(member, location, patience)
  const members = new Members({ clock, members: location.members, connect, patience })
  const watchers = new Members({ clock, members: location.members, connect, patience })
  try {
    await anyMember(members, () => inspect(members, notice))
    // A session must not queue behind what its predecessor has left.
    for (const [orphan, owner] of orphans) {
      if (owner !== clientId) continue
      await revokeLease(members, orphan)
      orphans.delete(orphan)
    }
    const { lease, proof } = await Lease.grant(members, ttl, clock)
    if (lease.ttl >= ttl + 1_000) {
      notice(
        'ETCD_TTL_RAISED',
        `etcd grants leases of at least ${lease.ttl} ms (1.5 election time-outs), not ${ttl} ms: a crashed holder keeps` +
          ' others out for that long',
      )
    }
    const parts = { lease, opened: proof, keys: new Keys(prefix, namespace), members, watchers }
    const session = new EtcdSession({ ...parts, left: (id) => orphans.set(id, clientId) }, options)
    await session.begin().catch(async (error: unknown) => {
      await session.close()
      throw error
    })
    return session
  } catch (error) {
    members.close()
    watchers.close()
    throw error
  }
}

/** Until one answers; each failure is followed by another member. */
async function anyMember(members: Members, call: () => Promise<void>): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      return await call()
    } catch (error) {
      if (tried >= members.count || !LockError.find(error)?.temporary) throw error
    }
  }
}
