import { expect, test } from 'vitest'
import { adviceOn } from '../src/commands/advice.ts'
import { World } from './support.ts'

test('a healthy store: reachable, measured, with what it promises', async () => {
  const world = new World()
  const { code, stdout, stderr } = await world.run(['doctor'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  for (const line of [
    /^store .*sqlite:.*LOCKS_URL/m,
    /^reachable +yes/m,
    /^latency +\d/m,
    /fencing durable/,
    /^no warnings/m,
  ]) {
    expect(stdout).toMatch(line)
  }
  const examined = JSON.parse((await world.run(['doctor', '--json'])).stdout) as object
  expect(examined).toMatchObject({
    from: 'LOCKS_URL',
    reachable: true,
    measured: { latencyMs: { rounds: 20, median: expect.any(Number) as number }, clock: null },
    capabilities: { fencing: 'durable' },
    warnings: [],
  })
  // What it measured with is gone.
  expect((await world.run(['ls', '--json'])).stdout).toBe('[]\n')
})

test('a store that cannot be reached: what is wrong, and what to do', async () => {
  const env = { LOCKS_URL: 'redis://127.0.0.1:1' }
  const { code, stdout } = await new World().run(['doctor'], { env })
  expect(code).toBe(69)
  expect(stdout).toMatch(/^FAILED .*ECONNREFUSED.*\(UNAVAILABLE\)\n +Is the server running/m)
})

test('a node of a quorum that does not answer is told of, with what to do', async () => {
  const world = new World()
  const nodes = [`sqlite:${world.database}`, `sqlite:${world.database}2`, 'redis://127.0.0.1:1']
  const env = { LOCKS_URL: `quorum:?${nodes.map((each) => `node=${encodeURIComponent(each)}`).join('&')}` }
  const { code, stdout } = await world.run(['doctor'], { env })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^warning node 3 of 3 does not answer \(QUORUM_NODE\)\n +Mend or start/m)
})

test('a start-up check that refuses is told in its own words', async () => {
  const { code, stdout } = await new World().run(['doctor', '--json'], {
    env: { LOCKS_URL: 'sqlite:/no/such/folder/x' },
  })
  expect(code).toBe(64)
  expect(JSON.parse(stdout)).toMatchObject({ reachable: false, problem: { code: 'INVALID_ARGUMENT' } })
})

test.each([
  'QUORUM_NODE',
  'SQLITE_UNWATCHED',
  'REDIS_NOT_PERSISTENT',
  'ETCD_MAY_REVOKE_LEASES',
  'ETCD_NO_SPACE',
  'ETCD_TTL_RAISED',
  'ZOOKEEPER_TTL',
])('there is advice on %s', (code) => expect(adviceOn(code)).toMatch(/^[A-Z].*\.$/))
