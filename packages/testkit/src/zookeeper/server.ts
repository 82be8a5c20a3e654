import { freePort } from '../ports.ts'
import { Server } from '../server.ts'
import { ask } from './asking.ts'
import { javaArgs, zookeeperFolder, type ZookeeperOptions } from './config.ts'
import { deleteNode, endSession, joinSession } from './sessions.ts'

export interface Counts {
  readonly sessions: number
  /** All nodes; a few are the server's own. */
  readonly nodes: number
  readonly ephemerals: number
  readonly watches: number
}

export class ZookeeperServer extends Server {
  readonly port: number

  /** In a folder with a `zoo.cfg`. */
  constructor(folder: string, port: number, options: ZookeeperOptions, { ensemble = false } = {}) {
    super({
      executable: 'java',
      args: javaArgs(options, { ensemble }),
      folder,
      ready: ensemble ? /Peer state changed: (leading|following) - broadcast/ : /ContainerManager - Using/,
    })
    this.port = port
  }

  /** What it answers to a four-letter word: `srvr`, `mntr`, `cons`, `wchp`. */
  ask(word: string): Promise<string> {
    return ask(this.port, word)
  }

  /** As this server knows it; its own sessions and those of the ensemble. */
  async counts(): Promise<Counts> {
    const facts = new Map((await this.ask('mntr')).split('\n').map((line) => line.split('\t') as [string, string]))
    const count = (name: string) => {
      const found = facts.get(`zk_${name}`)
      if (found === undefined) throw new Error(`the server on port ${this.port} does not say its ${name}`)
      return Number(found)
    }
    return {
      sessions: count('global_sessions'),
      nodes: count('znode_count'),
      ephemerals: count('ephemerals_count'),
      watches: count('watch_count'),
    }
  }

  /** By session, the paths of its ephemeral nodes; sessions without one are not among them. */
  async ephemerals(): Promise<ReadonlyMap<string, readonly string[]>> {
    const [, dump = ''] = (await this.ask('dump')).split(/^Sessions with Ephemerals.*\n/m)
    const found = new Map<string, string[]>()
    for (const [, session, path] of dump.matchAll(/^(0x[0-9a-f]+):$|^\t(\/.*)$/gm)) {
      if (session) found.set(session, [])
      else if (path) [...found.values()].at(-1)?.push(path)
    }
    return found
  }

  /** Ends a session, whose connection is closed first. */
  async endSession(session: string): Promise<void> {
    await endSession(this.port, BigInt(session))
  }

  /** Deletes a node, whoever has made it. */
  async deleteNode(path: string): Promise<void> {
    await deleteNode(this.port, path)
  }

  /** Takes a session over from its connection, which is closed, and then leaves it alone. */
  async joinSession(session: string): Promise<void> {
    await joinSession(this.port, BigInt(session))
  }
}

export async function startZookeeper(options: ZookeeperOptions & { port?: number } = {}): Promise<ZookeeperServer> {
  const port = options.port ?? (await freePort())
  const server = new ZookeeperServer(await zookeeperFolder(port, options), port, options)
  await server.start()
  return server
}
