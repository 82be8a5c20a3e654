import { LockError } from '@locks/core'
import type { Request } from '@locks/core/backend'
import { etcd } from '@locks/etcd'
import { startEtcd } from '@locks/testkit'
import { Etcd3 } from 'etcd3'
import { afterAll, expect, test } from 'vitest'
import { Ledger, type Line } from '../src/ledger.ts'
import { cleanup, open } from './fixtures.ts'

const server = await startEtcd()
afterAll(() => server.end())

const request = (id: string): Request => ({ id, names: ['name'], mode: 'exclusive', wait: true, steal: false })
const unknown = () => Promise.reject(new LockError('OUTCOME_UNKNOWN', 'lost'))

/** Asks for a line, and removes it when that was answered. */
async function passed(ledger: Ledger, id: string): Promise<Line> {
  const line = ledger.asked(request(id))
  await ledger.calling(line, () => Promise.resolve())
  await ledger.calling(line, () => Promise.resolve())
  ledger.delete(line)
  return line
}

test('the place of what is gone is used again, and a new one while it is not', async () => {
  const ledger = new Ledger('1f')
  const { who } = await passed(ledger, 'first')
  const second = ledger.asked(request('second'))
  expect(second.who).toBe(who)
  expect(ledger.asked(request('third')).who).not.toBe(who)
  // A list that is older than the removal.
  expect(ledger.adopted({ name: 'name', kind: 'lock', rank: '0', who })).toBe(second)
  ledger.delete(second)
  expect(ledger.adopted({ name: 'name', kind: 'lock', rank: '0', who })).toBeUndefined()
})

test('of what an unanswered call may yet bring, the place is not used again, and it is still known', async () => {
  const ledger = new Ledger('1f')
  const line = ledger.asked(request('lost'))
  await ledger.calling(line, unknown).catch(() => {})
  await ledger.calling(line, () => Promise.resolve())
  ledger.delete(line)
  expect(ledger.get('lost')).toBe(line)
  expect((await passed(ledger, 'next')).who).not.toBe(line.who)
})

test('nor is that of two calls that were under way together, whichever was answered first', async () => {
  for (const first of [0, 1]) {
    const ledger = new Ledger('1f')
    const line = ledger.asked(request('twice'))
    const calls = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const answers = calls.map(({ promise }) => ledger.calling(line, () => promise))
    for (const at of [first, 1 - first]) {
      calls[at]?.resolve()
      await answers[at]
      ledger.delete(line)
    }
    expect(ledger.get('twice')).toBe(line)
  }
})

test('a name that is locked a hundred times has as many keys as it had holders and waiters at once', async () => {
  const client = new Etcd3({ hosts: server.url.replace('etcd:', 'http:') })
  cleanup(() => Promise.resolve(client.close()))
  const keys = new Set<string>()
  const watcher = await client.watch().prefix('locks/locks/often/').create()
  watcher.on('put', ({ key }) => keys.add(key.toString()))
  const locks = await open(etcd({ url: server.url }))
  for (let times = 0; times < 50; times++) {
    const [holds, waits] = [await locks.acquire('often'), locks.acquire('often')]
    await holds.release()
    await (await waits).release()
  }
  expect(keys.size).toBeGreaterThan(0)
  // Whoever waits has a place beside that of the holder, and one key in the queue and another one when it holds.
  expect(keys.size).toBeLessThanOrEqual(4)
})
