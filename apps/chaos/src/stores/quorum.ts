import { startRedis, type RedisServer } from '@locks/testkit'
import type { Chance } from '../chance.ts'
import type { Clock } from '../clock/shim.ts'
import { jump } from '../nemesis/clients.ts'
import type { Fault } from '../nemesis/fault.ts'
import { leftAt } from './redis.ts'
import type { Store } from './store.ts'

const ttl = 1_500

/** Three servers that know nothing of each other: two come back empty and grant nothing for a ttl, one keeps all. */
const persistence = [false, false, true]

export const quorum: Store = {
  name: 'quorum',
  backend: 'redis',
  ttl,
  async start(servers) {
    const clocks = persistence.map((_, at) => servers?.beside(`node ${at + 1}`))
    const nodes = await Promise.all(
      persistence.map((appendonly, at) => startRedis({ appendonly, by: timed(clocks[at]) })),
    )
    const ports = nodes.map(({ port }) => port)
    const through = (others: readonly number[]) => {
      const urls = others.map((port) => `node=${encodeURIComponent(`redis://127.0.0.1:${port}`)}`)
      return { url: `quorum:?${urls.join('&')}` }
    }
    return {
      way: through(ports),
      network: { ports, framing: 'resp', through, apart: true },
      faults: [...losses(nodes), ...dataFaults(nodes), ...clockFaults(clocks)],
      left: () => leftAt(nodes),
      end: async () => void (await Promise.all(nodes.map((node) => node.end()))),
    }
  },
}

/** By a clock of its own. */
const timed = (clock: Clock | undefined): string[] =>
  clock ? ['env', ...Object.entries(clock.env).map(([name, value]) => `${name}=${value}`)] : []

/** One of them, or so many that nobody can have a majority: nothing is granted then, until they are back. */
function losses(nodes: readonly RedisServer[]): Fault[] {
  const majority = (nodes.length + 1) / 2
  const loss = (who: 'node' | 'majority', how: 'stopped' | 'killed', weight: number): Fault => ({
    kind: `${who} ${how}`,
    lasts: [0.1, 2],
    weight,
    async inflict(_, chance) {
      const fallen = chance.several(nodes, who === 'node' ? 1 : chance.oneOf([majority, nodes.length]))
      await Promise.all(fallen.map((node) => (how === 'killed' ? node.kill() : node.stop())))
      const heal = async () => {
        await Promise.all(fallen.map((node) => (how === 'killed' ? node.start() : node.continue())))
      }
      return { target: called(nodes, fallen), heal, refuses: who === 'majority' }
    },
  })
  return [
    loss('node', 'stopped', 2),
    loss('node', 'killed', 3),
    loss('majority', 'stopped', 1),
    loss('majority', 'killed', 1),
  ]
}

/** Of one node. Whoever has only one more beside it is without a majority, and learns that with the next renewal. */
function dataFaults(nodes: readonly RedisServer[]): Fault[] {
  const once = (kind: string, breaks: boolean, befall: (node: RedisServer) => Promise<unknown>): Fault => ({
    kind,
    lasts: [0, 0],
    breaks,
    weight: 0.5,
    async inflict(_, chance: Chance) {
      const node = chance.oneOf(nodes)
      await befall(node)
      return { target: called(nodes, [node]) }
    },
  })
  return [
    once('FLUSHALL of a node', true, (node) => node.cli('FLUSHALL')),
    once('SCRIPT FLUSH of a node', false, (node) => node.cli('SCRIPT', 'FLUSH')),
    once('key of a node deleted', true, async (node) => {
      const key = (await node.cli('RANDOMKEY')).trim()
      if (key !== '') await node.cli('DEL', key)
    }),
  ]
}

/** Early or late, what a node keeps ends by its clock: to those who hold it, that is a node that forgets. */
function clockFaults(clocks: readonly (Clock | undefined)[]): Fault[] {
  const jumps = clocks.flatMap((clock, at) => {
    return clock ? [{ at, fault: jump('a node’s wall clock jumps', clock, { breaks: true, catchesUp: true }) }] : []
  })
  const [first] = jumps
  if (!first) return []
  return [
    {
      ...first.fault,
      async inflict(field, chance) {
        const { at, fault } = chance.oneOf(jumps)
        const inflicted = await fault.inflict(field, chance)
        return inflicted && { ...inflicted, target: `node ${at + 1}: ${inflicted.target}` }
      },
    },
  ]
}

const called = (nodes: readonly RedisServer[], some: readonly RedisServer[]): string =>
  `node ${some.map((node) => nodes.indexOf(node) + 1).join(', ')}`
