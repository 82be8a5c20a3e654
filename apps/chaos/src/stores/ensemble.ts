import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../nemesis/fault.ts'

interface Server {
  stop(): Promise<void>
  continue(): Promise<void>
  kill(): Promise<void>
  start(): Promise<void>
}

/** Servers that decide by a majority. */
export interface Ensemble<S extends Server = Server> {
  readonly servers: readonly S[]
  leader(): Promise<S>
  /** All run and follow one leader. */
  ready(): Promise<void>
}

/** Asks again while nobody leads, or whoever does is too busy to say so. */
export async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (tries === 100) throw error
    }
    await sleep(100)
  }
}

/** The leader is killed or stopped, and comes back; the others have another one meanwhile. */
export function lossOf(who: string, ensemble: Ensemble): Fault[] {
  return (['killed', 'stopped'] as const).map((how) => ({
    kind: `${who} ${how}`,
    lasts: [0.3, 2],
    weight: 2,
    async inflict() {
      const leader = await eventually(() => ensemble.leader())
      return { target: `server ${ensemble.servers.indexOf(leader)}`, heal: await fell([leader], how, ensemble) }
    },
  }))
}

/** Two of three: whoever is left serves nobody. */
export function majorityLoss(ensemble: Ensemble): Fault {
  return {
    kind: 'majority lost',
    lasts: [0.2, 1.2],
    async inflict(_, chance) {
      const spared = chance.oneOf(ensemble.servers)
      const others = ensemble.servers.filter((server) => server !== spared)
      const how = chance.oneOf(['killed', 'stopped'] as const)
      return {
        target: `all but server ${ensemble.servers.indexOf(spared)}, ${how}`,
        heal: await fell(others, how, ensemble),
      }
    },
  }
}

/** And how it heals. */
async function fell(
  servers: readonly Server[],
  how: 'killed' | 'stopped',
  ensemble: Ensemble,
): Promise<() => Promise<void>> {
  await Promise.all(servers.map((server) => (how === 'killed' ? server.kill() : server.stop())))
  return async () => {
    await Promise.all(servers.map((server) => (how === 'killed' ? server.start() : server.continue())))
    await ensemble.ready()
  }
}
