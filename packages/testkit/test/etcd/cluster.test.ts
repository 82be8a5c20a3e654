import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEtcdCluster, type EtcdCluster } from '../../src/index.ts'
import { isRunning } from '../owned.ts'

let etcd: EtcdCluster
beforeAll(async () => {
  etcd = await startEtcdCluster()
})
afterAll(() => etcd.end())

/** Answers without asking the other members: whatever it has itself. */
const local = ['get', 'a', '--print-value-only', '--consistency=s', '--command-timeout=1s']
const quick = '--command-timeout=1s'
const noQuorum = /deadline exceeded|no leader|timed out|lost leader|leader changed/

test('what one member takes, all have', async () => {
  const leader = await etcd.leader()
  expect(etcd.members).toContain(leader)
  const [one, other] = etcd.members.filter((member) => member !== leader)
  expect(await one?.ctl('put', 'a', 'b')).toBe('OK')
  expect(await other?.ctl('get', 'a', '--print-value-only')).toBe('b')
})

test.for(['kill', 'stop'] as const)('%s: others elect another leader, which the old one follows', async (how) => {
  const former = await etcd.leader()
  await former[how]()
  const next = await etcd.successorOf(former)
  expect(next).not.toBe(former)
  expect(await next.ctl('put', 'a', how)).toBe('OK')
  await (how === 'kill' ? former.restart() : former.continue())
  await etcd.ready()
  expect(await former.ctl('get', 'a', '--print-value-only')).toBe(how)
})

test.for(['leader', 'follower'] as const)(
  'a %s that is cut off is left behind, and still answers clients',
  async (who) => {
    const leader = await etcd.leader()
    const follower = etcd.members.find((member) => member !== leader)
    const cutOff = who === 'leader' || !follower ? leader : follower
    await leader.ctl('put', 'a', 'before')
    await etcd.isolate(cutOff)
    const next = await etcd.successorOf(cutOff)
    expect(next === leader).toBe(who === 'follower')
    expect(await next.ctl('put', 'a', 'after')).toBe('OK')
    const others = etcd.members.filter((member) => member !== cutOff)
    for (const member of others) expect(await member.ctl('get', 'a', '--print-value-only')).toBe('after')
    expect(await cutOff.ctl(...local)).toBe('before')
    await expect(cutOff.ctl('get', 'a', quick)).rejects.toThrow(noQuorum)
    await expect(cutOff.ctl('put', 'a', 'lost', quick)).rejects.toThrow(noQuorum)
    await etcd.heal()
    await etcd.ready()
    expect(await cutOff.ctl('put', 'a', 'healed')).toBe('OK')
    for (const member of etcd.members) expect(await member.ctl('get', 'a', '--print-value-only')).toBe('healed')
  },
)

test('end leaves no process', async () => {
  const pids = etcd.members.map(({ pid }) => pid)
  expect(pids.filter(isRunning)).toHaveLength(3)
  await etcd.end()
  expect(pids.filter(isRunning)).toEqual([])
})
