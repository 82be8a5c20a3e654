import { freePorts } from '../ports.ts'
import { startProxy, type Proxy, type ProxyLine } from '../proxy/proxy.ts'
import { until } from '../until.ts'
import { enableAuth } from './auth.ts'
import { launch, type EtcdOptions, type EtcdServer } from './server.ts'

/** What a member says of itself, without asking others. */
interface Status {
  readonly id: bigint
  readonly leader: bigint
  readonly term: bigint
}

/** Three members, each of which can be cut off from the others while clients still reach it. */
export class EtcdCluster {
  readonly members: readonly EtcdServer[]
  readonly #proxy: Proxy
  /** The way to each member for the others, in the order of the members. */
  readonly #lines: readonly ProxyLine[]

  constructor(members: readonly EtcdServer[], proxy: Proxy, lines: readonly ProxyLine[]) {
    this.members = members
    this.#proxy = proxy
    this.#lines = lines
  }

  /** Of all members that answer, the one that leads in the latest term. */
  leader(): Promise<EtcdServer> {
    return this.#leaderAmong(this.members)
  }

  /** Who leads the others, once they are agreed, when `former` leads no more or is cut off. */
  successorOf(former: EtcdServer): Promise<EtcdServer> {
    return this.#leaderAmong(this.members.filter((member) => member !== former))
  }

  /** Nothing passes between this member and the others any more, until {@link heal}. */
  async isolate(member: EtcdServer): Promise<void> {
    const { id } = await statusOf(member)
    const ways = this.#lines.map((line, at) =>
      this.members[at] === member ? line.wire.silence() : line.silenceFrom(id.toString(16)),
    )
    await Promise.all(ways)
  }

  async heal(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.wire.heal()))
  }

  /** Waits until all members run and follow one leader. */
  async ready(): Promise<void> {
    await until('all follow one leader', async () => {
      const [first, ...others] = await Promise.all(this.members.map(statusOf))
      return first?.leader !== 0n && others.every(({ leader, term }) => leader === first?.leader && term === first.term)
    })
  }

  async end(): Promise<void> {
    await Promise.all(this.members.map((member) => member.end()))
    await this.#proxy.end()
  }

  #leaderAmong(members: readonly EtcdServer[]): Promise<EtcdServer> {
    return until('one leads', async () => {
      const answers = await Promise.allSettled(members.map(async (member) => ({ member, ...(await statusOf(member)) })))
      const known = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
      const latest = known.toSorted((a, b) => Number(b.term - a.term))[0]?.term
      return known.find(({ id, leader, term }) => id === leader && term === latest)?.member
    })
  }
}

export async function startEtcdCluster(options: EtcdOptions = {}): Promise<EtcdCluster> {
  const { users, ...rest } = options
  const proxy = await startProxy()
  const ports = await freePorts(6)
  const peerPorts = ports.slice(3)
  const lines = await Promise.all(
    peerPorts.map((port) => proxy.line({ upstreams: [{ host: '127.0.0.1', port }], framing: 'raft' })),
  )
  const names = ['a', 'b', 'c']
  const cluster = names.map((name, at) => `${name}=http://127.0.0.1:${lines[at]?.ports[0]}`).join()
  const members = await Promise.all(
    names.map((name, at) =>
      launch({ name, clientPort: ports[at] as number, peerPort: peerPorts[at] as number, cluster }, rest),
    ),
  )
  const started = new EtcdCluster(members, proxy, lines)
  await started.ready()
  if (users) await enableAuth(members, users)
  return started
}

async function statusOf({ port }: EtcdServer): Promise<Status> {
  const asked = { method: 'POST', body: '{}', signal: AbortSignal.timeout(1_000) }
  const answer = await fetch(`http://127.0.0.1:${port}/v3/maintenance/status`, asked)
  // Numbers of 64 bits, which JSON has as strings; what is 0 is left out.
  const { header, leader = '0' } = (await answer.json()) as {
    header: { member_id: string; raft_term: string }
    leader?: string
  }
  return { id: BigInt(header.member_id), leader: BigInt(leader), term: BigInt(header.raft_term) }
}
