import { expect, test } from 'vitest'
import { until, World } from './support.ts'

/** What was written, without the control sequences. */
// oxlint-disable-next-line no-control-regex
const plain = (text: string): string => text.replace(/\u001B\[[0-9;?]*[A-Za-z]/g, '')

test('a terminal shows who holds the lock, since when, and one’s place, and nothing when it is granted', async () => {
  const world = new World()
  const locks = world.manager({ owner: 'x\u001B[1my' })
  const held = await locks.acquire('a')
  const first = world.locks(['run', 'a', '--', 'true'])
  await until(async () => (await locks.query('a')).pending.length === 1)
  const second = world.terminal(['run', 'a', '--', 'echo', 'granted'])
  const line = /locks: waiting for a, place 2 of 2 in the queue; held by x\\u\{1b\}\[1my for \d+\.\d+s/
  await until(() => line.test(plain(second.stdout)))
  await held.release()
  expect(await first.ended).toMatchObject({ code: 0, stderr: '' })
  const { code, stdout } = await second.ended
  expect(code).toBe(0)
  expect(stdout.endsWith('\r\u001B[Kgranted\r\n')).toBe(true)
})

test('without a terminal there is silence', async () => {
  const world = new World()
  const locks = world.manager()
  const held = await locks.acquire('a')
  const waiting = world.locks(['run', 'a', '--', 'echo', 'granted'])
  await until(async () => (await locks.query('a')).pending.length === 1)
  // One that comes later has something to show, so this one would have had.
  const inTerminal = world.terminal(['run', 'a', '--', 'true'])
  await until(() => plain(inTerminal.stdout).includes('place 2 of 2'))
  await held.release()
  expect(await waiting.ended).toMatchObject({ code: 0, stdout: 'granted\n', stderr: '' })
})

test('Ctrl-C ends the wait', async () => {
  const world = new World()
  const locks = world.manager()
  await locks.acquire('a')
  const waiting = world.terminal(['run', 'a', '--', 'echo', 'ran'])
  await until(() => plain(waiting.stdout).includes('waiting for a'))
  waiting.process.stdin?.write('\u0003')
  const { code, stdout } = await waiting.ended
  expect(code).toBe(130)
  expect(stdout).not.toContain('ran')
  expect((await locks.query('a')).pending).toEqual([])
})

test('Ctrl-C reaches the command, which reads from the terminal and writes to it', async () => {
  const world = new World()
  const script = `trap 'echo interrupted; exit 5' INT; read line; echo "read $line"; while :; do sleep 0.1; done`
  const locks = world.terminal(['run', 'a', '--', 'sh', '-c', script])
  locks.process.stdin?.write('typed\n')
  await until(() => plain(locks.stdout).includes('read typed'))
  locks.process.stdin?.write('\u0003')
  const { code, stdout } = await locks.ended
  expect(code).toBe(5)
  expect(stdout).toContain('interrupted')
})

test.each([
  ['y', 0, []],
  ['n', 1, ['a']],
  ['\u0003', 1, ['a']],
] as const)('break asks on a terminal; answered with %j', async (answer, status, left) => {
  const world = new World()
  const locks = world.manager({ owner: 'me' })
  const { token } = await locks.acquire('a')
  const breaking = world.terminal(['break', 'a', '--owner', 'me', '--token', String(token)])
  await until(() => plain(breaking.stdout).includes(`Break a, held by me with token ${token}?`))
  breaking.process.stdin?.write(answer === '\u0003' ? answer : `${answer}\n`)
  expect(await breaking.ended).toMatchObject({ code: status })
  expect((await locks.query()).held.map(({ name }) => name)).toEqual(left)
})

test('inspect --watch rewrites the screen as things change, until Ctrl-C', async () => {
  const world = new World()
  const locks = world.manager({ owner: 'me' })
  const watching = world.terminal(['inspect', 'a', '--watch', '--interval', '50ms'])
  await until(() => watching.stdout.includes('\u001B[H\u001B[2Ja is free'))
  const held = await locks.acquire('a')
  await until(() => plain(watching.stdout).includes(String(held.token)))
  watching.process.stdin?.write('\u0003')
  expect(await watching.ended).toMatchObject({ code: 130 })
})
