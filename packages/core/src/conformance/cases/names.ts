import assert from 'node:assert/strict'
import type { Lock } from '../../lock.ts'
import type { LockManager } from '../../manager.ts'
import type { Case } from '../case.ts'

/** Names that some store, path, pattern, script, file system or encoding could take for one another. */
const corpus: readonly string[] = [
  ...[
    '',
    ' ',
    '  ',
    ' a',
    'a ',
    '\t',
    '\n',
    '\r\n',
    '\0',
    '\0\0',
    'a\0',
    'a\0b',
    '\u007f',
    '\u0080',
    '\u00ff',
    '\u0100',
  ],
  ...['/', '//', '.', '..', './a', '../a', 'a/', '/a', 'a/b', 'a//b', 'a/../b', 'b', 'C:\\a', '\\', '\\0'],
  ...[
    'a',
    'A',
    'aa',
    'aA',
    'ab',
    'AB',
    '1',
    '01',
    '1.0',
    'NaN',
    'null',
    'undefined',
    'true',
    '__proto__',
    'constructor',
  ],
  ...['foo', 'foo/', 'foo0', 'foo/bar', 'foo/bar/', 'foobar', 'foo:bar', 'foo.bar', 'foo bar', 'foo-bar', 'FOO/BAR'],
  ...[
    '{}',
    '{',
    '}',
    '}x',
    '{a}',
    '{a}b',
    '{a}{b}',
    '*',
    'a*',
    '?',
    '[a]',
    '^a$',
    '%',
    '%%',
    '%2F',
    '%2f',
    '%00',
    '$1',
  ],
  ...["'", '"', '`', "';--", '"}', '(', '#', '&', '|', ';', ',', '=', '<a>', 'a:1', 'a@b', '~', '!', '+'],
  ...[
    '_',
    '__',
    '_h',
    '_H',
    '_2f',
    '_2F',
    '_2',
    '_002f',
    '_00',
    '_-002f',
    'a-x',
    'a-',
    'a-0061',
    '_h-',
    'a_2fb',
    'a-002fb',
  ],
  ...[
    'é',
    'e\u0301',
    'É',
    'Å',
    '\u212b',
    'A\u030a',
    'ß',
    'ss',
    'ẞ',
    'İ',
    'i\u0307',
    'ı',
    'K',
    '\u212a',
    'ſ',
    'ﬁ',
    'fi',
    '１',
  ],
  ...[
    '👍',
    '👍🏽',
    '👍\ufe0f',
    '\ud83d',
    '\udc4d',
    '\udc4d\ud83d',
    '\ud83d\ud83d',
    '\ud83d\udc4d\udc4d',
    'a\ud800',
    '\udfffa',
  ],
  ...['\ufffd', '\ufffd\ufffd', '\ufeff', '\ufeffa', '\u200b', '\u202ea', '\u2028', '\ufffe', '\uffff', '中', '中文'],
  // About the length at which an encoding may turn into a hash, and far beyond.
  ...[119, 120, 121, 255, 256].map((length) => 'n'.repeat(length)),
  ...['a', 'b', '/', '\ud800', '\udc00', '\ufffd'].map((last) => 'n'.repeat(10_240) + last),
  ...['é', 'e\u0301', '\ud83d'].flatMap((unit) => [unit.repeat(5_000), unit.repeat(5_001)]),
]

export const names: readonly Case[] = [
  {
    id: 'names/apart',
    line: 9,
    title: 'locks of all kinds of names are held at the same time without interfering, and carry the very name',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const locks = await takeAll(a, corpus)
      assert.deepEqual(
        locks.map(({ name }) => name),
        corpus,
      )
      assert.deepEqual(await free(b, corpus), [])
      const released = corpus.filter((_, at) => at % 2 === 0)
      await Promise.all(locks.filter((_, at) => at % 2 === 0).map((lock) => lock.release()))
      assert.deepEqual(await free(b, corpus), released)
      assert.ok(locks.every((lock, at) => lock.held === (at % 2 === 1)))
    },
  },
  {
    id: 'names/returned',
    line: 9,
    title: 'query returns every name unchanged, with that name’s entries only',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      await takeAll(a, corpus)
      const found = await Promise.all(corpus.map((name) => b.query(name)))
      assert.deepEqual(
        found.map(({ held }) => held.map(({ name }) => name)),
        corpus.map((name) => [name]),
      )
    },
  },
  {
    id: 'names/listed',
    line: 9,
    title: 'a list of all names has each of them once and unchanged',
    requires: { listing: 'complete' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      await takeAll(a, corpus)
      assert.deepEqual((await b.query()).held.map(({ name }) => name).toSorted(), corpus.toSorted())
    },
  },
  {
    id: 'names/waiting',
    line: 9,
    title: 'a release wakes who waits for that name and nobody who waits for one that looks like it',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const alike = ['foo', 'foo/bar', 'foo/', 'foo0', 'FOO', 'foo_2fbar', '\ud83d', '\ufffd', '', '_']
      const locks = await takeAll(a, alike)
      const granted: string[] = []
      const waiting = alike.map((name) => b.request(name, () => granted.push(name)))
      for (const name of alike) await t.queued(a, name, 1)
      for (const [at, lock] of locks.entries()) {
        await lock.release()
        await waiting[at]
        assert.deepEqual(granted, alike.slice(0, at + 1))
      }
    },
  },
  {
    id: 'names/longest',
    line: 9,
    title: 'names of 65,536 UTF-16 code units are locked and returned, a longer one is refused with the limit',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const longest = ['x', '/', '\ud83d', '中'].map((unit) => unit.repeat(65_536))
      await takeAll(a, longest)
      assert.deepEqual(await free(b, longest), [])
      for (const name of longest) assert.ok((await b.query(name)).held[0]?.name === name)
      const { message } = await t.fails(a.acquire('x'.repeat(65_537)), 'INVALID_ARGUMENT')
      assert.match(message, /65536/)
    },
  },
  {
    id: 'names/namespaces',
    line: 9,
    title: 'locks of different namespaces never meet, whatever the namespaces are called',
    async run(t) {
      const own = t.namespace
      const spaces = [
        own,
        own.toUpperCase(),
        `${own}/a`,
        `${own}_2fa`,
        `{${own}}`,
        `${own}\0`,
        `${own}\ud83d`,
        `${own}\ufffd`,
      ]
      const inside = ['b', 'a/b', '/b', '', 'B', `${own}/b`]
      const managers = await Promise.all(spaces.map((namespace) => t.open({ namespace })))
      const locks = await Promise.all(managers.map((each) => takeAll(each, inside)))
      for (const [at, each] of managers.entries()) {
        assert.deepEqual(await free(each, inside), [])
        await Promise.all((locks[at] as Lock[]).map((lock) => lock.release()))
        assert.deepEqual(await free(each, inside), inside)
      }
    },
  },
]

/** Takes all names at once and holds them. */
async function takeAll(locks: LockManager, list: readonly string[]): Promise<Lock[]> {
  const taken = await Promise.all(list.map((name) => locks.tryAcquire(name)))
  assert.deepEqual(
    list.filter((_, at) => taken[at] === null),
    [],
  )
  return taken as Lock[]
}

/** Those of the names that can be had. */
async function free(locks: LockManager, list: readonly string[]): Promise<string[]> {
  const taken = await Promise.all(list.map((name) => locks.tryAcquire(name)))
  await Promise.all(taken.map(async (lock) => lock?.release()))
  return list.filter((_, at) => taken[at] !== null)
}
