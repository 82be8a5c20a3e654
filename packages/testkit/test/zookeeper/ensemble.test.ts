import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEnsemble, type ZookeeperEnsemble, type ZookeeperServer } from '../../src/index.ts'
import { until } from '../../src/until.ts'
import { isRunning } from '../owned.ts'
import { openSession } from './session.ts'

let ensemble: ZookeeperEnsemble
beforeAll(async () => {
  ensemble = await startEnsemble()
})
afterAll(() => ensemble.end())

const sessionsOf = async (server: ZookeeperServer) => (await server.counts()).sessions

test('a session is known to all', async () => {
  const [follower, other] = await ensemble.followers()
  if (!follower || !other) throw new Error('there are no two followers')
  const { session } = await openSession(follower.port, 60_000)
  await until('all know it', async () => (await Promise.all(ensemble.servers.map(sessionsOf))).every((n) => n === 1))
  await other.endSession(session)
  await until('none knows it', async () => (await Promise.all(ensemble.servers.map(sessionsOf))).every((n) => n === 0))
})

const faults = {
  kill: { begin: (server: ZookeeperServer) => server.kill(), end: (server: ZookeeperServer) => server.start() },
  stop: { begin: (server: ZookeeperServer) => server.stop(), end: (server: ZookeeperServer) => server.continue() },
  'cut off': {
    begin: (server: ZookeeperServer) => ensemble.cutOff(server),
    end: () => ensemble.heal(),
  },
}

test.for(Object.keys(faults) as (keyof typeof faults)[])('%s the leader: another one leads', async (fault) => {
  const leader = await ensemble.leader()
  await faults[fault].begin(leader)
  const next = await ensemble.elected(leader)
  expect(next).not.toBe(leader)
  expect(await ensemble.leader()).toBe(next)
  await faults[fault].end(leader)
  await ensemble.ready()
  expect(await ensemble.leader()).toBe(next)
})

test('a follower that is cut off answers for a while, and serves again when the line heals', async () => {
  const [follower] = await ensemble.followers()
  if (!follower) throw new Error('there is no follower')
  await ensemble.cutOff(follower)
  expect(await follower.ask('srvr')).toMatch(/^Mode: follower$/m)
  await until('it serves no more', async () => (await follower.ask('srvr')).includes('not currently serving'))
  await ensemble.heal()
  await ensemble.ready()
})

test('end leaves no process', async () => {
  const pids = ensemble.servers.map(({ pid }) => pid)
  expect(pids.filter(isRunning)).toHaveLength(3)
  await ensemble.end()
  expect(pids.filter(isRunning)).toEqual([])
})
