import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keeper } from '../keeper/keeper.ts'
import { findRequired } from '../requirements.ts'

/** By name, what `zoo.cfg` has after it. */
export type Settings = Readonly<Record<string, string>>

export interface ZookeeperOptions {
  /** The unit of the server's time, ms: it looks for expired sessions once in so long, and grants no shorter ones than two. */
  readonly tickTime?: number
  /** How often, ms, it deletes containers that are empty; every minute if absent. */
  readonly tidies?: number
  /** Whoever is authenticated by digest as `super` with this password may do everything, whatever the ACLs say. */
  readonly superPassword?: string
  /** Further settings, as `zoo.cfg` has them. */
  readonly config?: Settings
}

/** A temporary folder with a `zoo.cfg`. */
export async function zookeeperFolder(port: number, options: ZookeeperOptions, settings?: Settings): Promise<string> {
  const folder = await keeper().call('folder', 'zookeeper')
  const { tickTime = 200, config } = options
  const all: Settings = {
    tickTime: String(tickTime),
    minSessionTimeout: String(2 * tickTime),
    maxSessionTimeout: '60000',
    dataDir: folder,
    clientPort: String(port),
    clientPortAddress: '127.0.0.1',
    maxClientCnxns: '0',
    // A process that is killed loses nothing for it, only a machine would.
    forceSync: 'no',
    'admin.enableServer': 'false',
    '4lw.commands.whitelist': '*',
    ...settings,
    ...config,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}\n`)
  await writeFile(join(folder, 'zoo.cfg'), lines.join(''))
  return folder
}

/** What `java` is given to run a server of the folder that it is in. */
export function javaArgs({ tidies, superPassword }: ZookeeperOptions, { ensemble = false } = {}): string[] {
  const jars = ['zookeeper.jar', 'slf4j-simple.jar'].map(findRequired)
  return [
    // Starts in half the time, and in a third of the memory.
    ...['-Xms16m', '-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'],
    // Kilobytes that it takes for its log at a time; otherwise 64 MB.
    '-Dzookeeper.preAllocSize=1024',
    // And not only 10,000 of them a minute.
    ...(tidies === undefined ? [] : [`${containers}.checkIntervalMs=${tidies}`, `${containers}.maxPerMinute=600000`]),
    ...(superPassword === undefined ? [] : [`${digests}.superDigest=${digestOf('super', superPassword)}`]),
    ...[
      '-cp',
      jars.join(':'),
      `org.apache.zookeeper.server.${ensemble ? 'quorum.QuorumPeerMain' : 'ZooKeeperServerMain'}`,
    ],
    './zoo.cfg',
  ]
}

const containers = '-Dznode.container'
const digests = '-Dzookeeper.DigestAuthenticationProvider'

/** A user as ACLs of the scheme `digest` name him. */
export function digestOf(user: string, password: string): string {
  return `${user}:${createHash('sha1').update(`${user}:${password}`).digest('base64')}`
}
