import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { LockManager } from '@locks/core'
import { sqlite } from '@locks/sqlite'
import { expect, test } from 'vitest'
import { child, cleanup, database, folder, open, request, until } from './support.ts'

test('eight processes never hold one lock together', async () => {
  const path = database()
  const log = `${path}.log`
  writeFileSync(log, '')
  const cycles = 60
  const children = Array.from({ length: 8 }, () => child('contend', { path, log, cycles }))
  for (const each of children) await each.next()
  for (const each of children) each.send('go')
  for (const each of children) expect(await each.next()).toEqual({ done: true })
  const lines = readFileSync(log, 'utf8').trim().split('\n')
  expect(lines).toHaveLength(8 * cycles * 2)
  for (let at = 0; at < lines.length; at += 2) expect(lines[at + 1]).toBe(`-${lines[at]?.slice(1)}`)
  const tokens = lines.filter((line) => line.startsWith('+')).map((line) => Number(line.split(' ')[1]))
  expect(tokens).toEqual(tokens.toSorted((a, b) => a - b))
  expect(new Set(tokens).size).toBe(tokens.length)
})

test('eight processes make one database together', async () => {
  for (let round = 0; round < 5; round++) {
    const path = database()
    const children = Array.from({ length: 8 }, () => child('race', { path }))
    for (const each of children) await each.next()
    for (const each of children) each.send('go')
    const tokens = []
    for (const each of children) tokens.push((await each.next())['token'])
    expect(new Set(tokens).size).toBe(8)
    for (const each of children) each.send('end')
    for (const each of children) expect(await each.next()).toEqual({ done: true })
  }
})

test.for(['deleted', 'moved', 'replaced', 'robbed of its shared memory'])(
  'a database that was %s ends the session',
  async (fate) => {
    const path = database()
    const { session } = await open(path)
    const holder = request('a')
    await session.acquire(holder)
    if (fate === 'deleted') rmSync(path)
    else if (fate === 'moved') renameSync(path, `${path}.old`)
    else if (fate === 'replaced') {
      const other = database()
      await (await open(other)).session.close()
      renameSync(other, path)
    } else rmSync(`${path}-shm`)
    await until(() =>
      session.renew([holder]).then(
        () => false,
        () => true,
      ),
    )
    expect(await session.ended).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('deleted, moved or replaced') as string,
    })
    await expect(session.renew([holder])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  },
)

test('a database behind a symbolic link that is pointed elsewhere ends the session', async () => {
  const [path, other] = [database(), database()]
  const link = `${folder()}/link.db`
  symlinkSync(path, link)
  const [byLink, byPath] = [await open(link), await open(path)]
  const holder = request('a')
  await byLink.session.acquire(holder)
  expect(await byPath.session.acquire(request('a'))).toBe('queued')
  await byLink.session.remove(holder)
  // They wake each other, whatever name they know it by.
  await until(() => byPath.granted.length === 1)
  await open(other)
  rmSync(link)
  symlinkSync(other, link)
  await until(() =>
    byLink.session.query().then(
      () => false,
      () => true,
    ),
  )
  expect(await byLink.session.ended).toMatchObject({ code: 'UNAVAILABLE' })
  expect(await byPath.session.query()).toHaveLength(1)
})

test('a manager whose database was deleted loses its locks, and goes on in the new one', async () => {
  const path = database()
  const locks = new LockManager(sqlite({ path }), { ttl: 1_000 })
  cleanup(() => locks.close())
  const lock = await locks.acquire('a')
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix)
  await until(() => !lock.held)
  await expect(lock.release()).resolves.toBe('lost')
  const again = await locks.acquire('a')
  expect(again.token).toBeGreaterThan(lock.token)
})
