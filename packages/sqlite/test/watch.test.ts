import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { encodeName, systemClock, type Clock } from '@locks/core/backend'
import { expect, test } from 'vitest'
import { child, cleanup, database, open, request, until } from './support.ts'

const wakeFiles = (path: string) => (existsSync(`${path}-wake`) ? readdirSync(`${path}-wake`) : [])

const leader = (name: string, value = '["id","value"]') => request(name, { value })

/** A watch, and how often it has told. */
async function watching(session: Awaited<ReturnType<typeof open>>['session'], name: string) {
  let told = 0
  const unwatch = (await session.watch?.(encodeName(name), () => told++)) ?? expect.unreachable('it does not watch')
  return { unwatch, told: () => told }
}

test('every leader who comes or goes is told, also one that was granted by another session or robbed', async () => {
  const path = database()
  const [one, two, watcher] = [await open(path), await open(path), await open(path)]
  const { told } = await watching(watcher.session, 'a')
  let before = 0
  const news = async () => {
    await until(() => told() > before)
    before = told()
  }
  const [first, second, thief] = [leader('a'), leader('a'), request('a', { steal: true })]
  await one.session.acquire(first)
  await news()
  await two.session.acquire(second)
  await one.session.remove(first)
  await until(() => two.granted.length === 1)
  await news()
  await one.session.acquire(thief)
  await news()
  await one.session.remove(thief)
  const last = leader('a')
  await two.session.acquire(last)
  await news()
  await two.session.close()
  await news()
})

test('locks without a value, and leaders of other names, tell nobody', async () => {
  const path = database()
  const [one, watcher] = [await open(path), await open(path)]
  const { told } = await watching(watcher.session, 'a')
  const [plain, other, own] = [request('a'), leader('b'), leader('a')]
  for (const each of [plain, other]) {
    await one.session.acquire(each)
    await one.session.remove(each)
  }
  // A file's events come in the order of the writes.
  await one.session.acquire(own)
  await until(() => told() > 0)
  expect(told()).toBe(1)
})

test('watchers of one name share a file, which goes with the last of them', async () => {
  const path = database()
  const { session } = await open(path)
  const [first, second] = [await watching(session, 'a'), await watching(session, 'a')]
  const third = await watching(session, 'b')
  expect(wakeFiles(path).length).toBe(2)
  first.unwatch()
  third.unwatch()
  first.unwatch()
  expect(wakeFiles(path).length).toBe(1)
  await (await open(path)).session.acquire(leader('a'))
  await until(() => second.told() > 0)
  expect([first.told(), third.told()]).toEqual([0, 0])
  second.unwatch()
  expect(wakeFiles(path)).toEqual([])
})

test('a session that ends leaves no file behind, and watches nothing any more', async () => {
  const path = database()
  const { session } = await open(path)
  await watching(session, 'a')
  await session.close()
  expect(wakeFiles(path)).toEqual([])
  await expect(session.watch?.(encodeName('a'), () => {})).rejects.toThrow('closed')
})

test('a file that is taken away is made again, and its watchers are told in case they have missed something', async () => {
  const path = database()
  const { session } = await open(path)
  const { told } = await watching(session, 'a')
  for (const file of wakeFiles(path)) rmSync(join(`${path}-wake`, file))
  await until(() => told() > 0)
  await until(() => wakeFiles(path).length === 1)
  const before = told()
  await (await open(path)).session.acquire(leader('a'))
  await until(() => told() > before)
})

test('where files cannot be watched, the watchers are told again and again to look', async () => {
  const path = database()
  const ran: number[] = []
  const clock: Clock = {
    now: () => systemClock.now(),
    after: (ms, run) => {
      ran.push(ms)
      return systemClock.after(ms, run)
    },
  }
  const { session } = await open(path, { clock })
  // A file in the place of the folder.
  writeFileSync(`${path}-wake`, '')
  const warned = new Promise<string>((resolve) => process.once('warning', ({ message }) => resolve(message)))
  const { unwatch, told } = await watching(session, 'a')
  expect(await warned).toMatch(/cannot be watched/)
  await until(() => told() >= 3)
  unwatch()
  expect(ran).toContain(100)
  cleanup(() => rmSync(`${path}-wake`))
})

test('leaders of another user of the machine are told', async () => {
  const path = database()
  chmodSync(dirname(path), 0o777)
  await (await open(path)).session.close()
  chmodSync(path, 0o666)
  const { session } = await open(path, { namespace: 'locks' })
  const { told } = await watching(session, 'lock')
  const other = child('lead', { path }, { unprivileged: true })
  await other.next()
  await until(() => told() > 0)
  const before = told()
  other.send('resign')
  await other.next()
  await until(() => told() > before)
})
