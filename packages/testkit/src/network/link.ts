import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'
import { keeper } from '../keeper/keeper.ts'
import { findRequired } from '../requirements.ts'
import { Server } from '../server.ts'
import { until } from '../until.ts'

/** A network namespace of ours. It has nothing but its end of a link, and its own loopback. */
export interface NetworkHost {
  readonly address: string
  /** The command that runs another one there, and becomes it. */
  readonly enter: readonly string[]
}

/**
 * Two hosts of our own and a link between them, which can go down as when a cable is pulled: what is sent then arrives
 * nowhere, and nothing says so. The rest of the machine reaches them by other ways only: pipes, Unix sockets.
 *
 * Needs root, or a kernel that lets everybody make user namespaces. The namespaces have no names and exist as long as
 * somebody is in them, so nothing is left of them after a crash.
 */
export interface NetworkLink {
  readonly near: NetworkHost
  readonly far: NetworkHost
  /** The far host's interface. In force when the promise resolves, as is `up`. */
  down(): Promise<void>
  up(): Promise<void>
  /** Kills what keeps the namespaces; whoever else is in them goes on, with the link. */
  end(): Promise<void>
}

const isRoot = process.getuid?.() === 0

/** Addresses for documentation, which lead nowhere from anywhere else. */
const addresses = ['192.0.2.1', '192.0.2.2'] as const

export async function startLink(): Promise<NetworkLink> {
  const near = await hold([findRequired('unshare'), ...(isRoot ? [] : ['--user', '--map-root-user']), '--net'])
  const far = await hold([...enter(near), findRequired('unshare'), '--net'])
  const ip = (at: Server, command: string) => run([...enter(at), findRequired('ip'), ...command.split(' ')])
  await ip(near, `link add name eth0 type veth peer name eth0 netns ${far.pid}`)
  for (const [host, address] of [
    [near, addresses[0]],
    [far, addresses[1]],
  ] as const) {
    await ip(host, `address add ${address}/24 dev eth0`)
    await ip(host, 'link set lo up')
  }
  await ip(near, 'link set eth0 up')
  const up = async () => {
    await ip(far, 'link set eth0 up')
    for (const host of [near, far]) {
      await until('the link is up', async () => (await ip(host, 'link show dev eth0')).includes('state UP'))
    }
  }
  await up()
  return {
    near: { address: addresses[0], enter: enter(near) },
    far: { address: addresses[1], enter: enter(far) },
    down: async () => void (await ip(far, 'link set eth0 down')),
    up,
    end: async () => void (await Promise.all([near.end(), far.end()])),
  }
}

/** Somebody in the namespace that a command makes. */
async function hold(by: readonly string[]): Promise<Server> {
  const folder = await keeper().call('folder', 'network')
  const args = ['-c', 'echo ready; exec sleep infinity']
  const holder = new Server({ executable: 'sh', args, by, folder, ready: /ready/ })
  await holder.start()
  return holder
}

function enter({ pid }: Server): string[] {
  const user = isRoot ? [] : ['--user', '--preserve-credentials']
  return [findRequired('nsenter'), '--target', String(pid), ...user, '--net']
}

async function run([command = '', ...args]: string[]): Promise<string> {
  return (await promisify(execFile)(command, args)).stdout
}
