import { join, resolve } from 'node:path'
import { existsSync } from 'node:fs'
import { LockManager, openLocks } from '@locks/core'
import { adapter, sqlite } from '@locks/sqlite'
import { expect, test } from 'vitest'
import { pathFromUrl } from '../src/options.ts'
import { cleanup, folder } from './support.ts'

test.for([
  ['sqlite:locks.db', resolve('locks.db')],
  ['sqlite:./a/locks.db', resolve('a/locks.db')],
  ['sqlite:/var/lib/locks.db', '/var/lib/locks.db'],
  ['sqlite:///var/lib/locks.db', '/var/lib/locks.db'],
  ['sqlite://localhost/var/lib/locks.db', '/var/lib/locks.db'],
  ['SQLITE:/a%20b/%23%3F%25.db', '/a b/#?%.db'],
  ['sqlite:file:a.db', resolve('file:a.db')],
])('%s is %s', ([url, path]) => {
  expect(pathFromUrl(url as string)).toBe(path)
})

test.for([
  ['sqlite:', /must name a file/],
  ['sqlite::memory:', /"memory:" is the backend without one/],
  ['sqlite://host/locks.db', /has no host/],
  ['sqlite:100%.db', /percent/],
  ['sqlite:a%00b', /NUL/],
  ['sqlite:a.db?timeout=5', /unknown option "timeout"/],
] as const)('%s is refused', ([url, message]) => {
  expect(() => adapter.fromUrl(url)).toThrow(message)
})

test.for([
  [undefined, /needs \{ path \}/],
  [{}, /needs \{ path \}/],
  [{ path: '' }, /must name a file/],
  [{ path: ':memory:' }, /must name a file/],
  [{ path: 7 }, /must be a string/],
  [{ path: 'a.db', readonly: true }, /unknown option "readonly"; known are path/],
] as const)('%j is refused', ([options, message]) => {
  expect(() => sqlite(options as never)).toThrow(message)
})

test('a URL and code name the same database', async () => {
  const path = join(folder(), 'a b.db')
  const byUrl = await openLocks(`sqlite:${encodeURI(path)}`, { adapters: [adapter] })
  const byCode = new LockManager(sqlite({ path }))
  cleanup(() => Promise.all([byUrl.close(), byCode.close()]))
  const lock = await byUrl.acquire('a')
  expect(existsSync(path)).toBe(true)
  expect(await byCode.tryAcquire('a')).toBeNull()
  await lock.release()
})
