import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until, World } from './support.ts'

test.each([0, 1, 7, 75, 255])('a command that ends with %i: so does locks', async (status) => {
  const { code, signal, stderr } = await new World().run(['run', 'a', '--', 'sh', '-c', `exit ${status}`])
  expect({ code, signal, stderr }).toEqual({ code: status, signal: null, stderr: '' })
})

test.each(['SIGTERM', 'SIGKILL', 'SIGPIPE', 'SIGHUP', 'SIGSEGV', 'SIGALRM', 'SIGUSR1'] as const)(
  'a command that dies by %s: so does locks',
  async (name) => {
    const { code, signal, stderr } = await new World().run([
      'run',
      'a',
      '--',
      'sh',
      '-c',
      `kill -s ${name.slice(3)} $$`,
    ])
    expect({ code, signal, stderr }).toEqual({ code: null, signal: name, stderr: '' })
  },
)

test('input, output and arguments are the command’s own', async () => {
  const world = new World()
  const echo = world.locks(['run', 'a', '--', 'sh', '-c', 'cat; echo "$1|$2" >&2', 'x', 'two words', '--json'])
  echo.process.stdin?.end('typed')
  expect(await echo.ended).toMatchObject({ code: 0, stdout: 'typed', stderr: 'two words|--json\n' })
})

test('the command finds the lock in its environment', async () => {
  const world = new World()
  const show = ['sh', '-c', 'printf "%s\\n" "$LOCKS_NAME" "$LOCKS_TOKEN" "$LOCKS_OWNER"; "$@"', 'x']
  const inspect = [process.execPath, ...world.argv(['inspect', 'a', '--json'])]
  const { stdout } = await world.run(['run', '--owner', 'me', 'a', '--', ...show, ...inspect])
  const [name, token, owner, seen = ''] = stdout.split('\n')
  expect({ name, owner }).toEqual({ name: 'a', owner: 'me' })
  expect(JSON.parse(seen)).toMatchObject({ name: 'a', held: [{ owner: 'me', token }], waiting: [] })
})

test('of several locks all are held, and each has its token', async () => {
  const world = new World()
  const held = world.locks([
    'run',
    'b',
    'a',
    '--',
    'sh',
    '-c',
    'printf "%s\\n" "$LOCKS_NAME" "$LOCKS_TOKEN"; read line',
  ])
  await until(() => held.stdout.split('\n').length === 5)
  const [first, second, one, two] = held.stdout.split('\n')
  const { held: holders } = await world.manager().query()
  expect([first, second]).toEqual(['b', 'a'])
  expect(holders.map(({ name, token }) => [name, String(token)])).toEqual([
    ['a', two],
    ['b', one],
  ])
  held.process.stdin?.end('\n')
  await held.ended
})

test('the lock is free for the next in line when the command has ended', async () => {
  const world = new World()
  expect(await world.run(['run', 'a', '--', 'true'])).toMatchObject({ code: 0 })
  expect(await world.run(['run', '--wait', '0', 'a', '--', 'true'])).toMatchObject({ code: 0 })
})

test.each([
  ['at once', ['--wait', '0'], 75, 'is held or waited for'],
  ['in time', ['--wait', '300ms'], 75, 'was not granted within 0.3s'],
  ['in time, by another code', ['--wait', '1s', '--conflict-exit-code', '3'], 3, 'was not granted within 1.0s'],
] as const)('a lock that is not free %s', async (_, options, status, message) => {
  const world = new World()
  await world.manager().acquire('a')
  const { code, stdout, stderr } = await world.run(['run', ...options, 'a', '--', 'echo', 'ran'])
  expect({ code, stdout, stderr }).toEqual({ code: status, stdout: '', stderr: `locks: a ${message}\n` })
})

test('shared holders and permits exclude nobody but whom they must', async () => {
  const world = new World()
  const locks = world.manager()
  await locks.acquire('read', { mode: 'shared' })
  await locks.acquire('gpu', { permits: 3, weight: 2 })
  const run = (...args: string[]) => world.run(['run', '--wait', '0', ...args, '--', 'true']).then(({ code }) => code)
  expect(await run('--shared', 'read')).toBe(0)
  expect(await run('read')).toBe(75)
  expect(await run('--permits', '3', 'gpu')).toBe(0)
  expect(await run('--permits', '3', '--weight', '2', 'gpu')).toBe(75)
})

test('a command that cannot be run is known before the wait', async () => {
  const world = new World()
  await world.manager().acquire('a')
  const plain = join(world.folder, 'plain')
  writeFileSync(plain, 'true')
  chmodSync(plain, 0o644)
  expect(await world.run(['run', 'a', '--', 'no-such-command'])).toMatchObject({ code: 127 })
  expect(await world.run(['run', 'a', '--', plain])).toMatchObject({ code: 126 })
})

test.each([
  [['run', 'a'], /write it after --/],
  [['run', '--', 'true'], /missing required argument 'names'/],
  [['run', '--wait', '10', 'a', '--', 'true'], /a time with its unit.*got "10"/],
  [['run', '--permits', '0', 'a', '--', 'true'], /whole number from 1/],
  [['run', '--permits', '2', 'a', 'b', '--', 'true'], /one name/],
  [['run', '--weight', '2', 'a', 'b', '--', 'true'], /one name/],
  [['run', 'a\nb', 'c', '--', 'true'], /line break/],
  [['ls', '--', 'extra'], /nothing may stand behind --/],
  [['run', '--shared', '--permits', '2', 'a', '--', 'true'], /cannot be used with/],
  [['run', '--ttl', '1s', '--grace', '1s', 'a', '--', 'true'], /at most 150ms/],
  [['run', '--ttl', '1ms', 'a', '--', 'true'], /from 1000/],
  [['run', '--url', 'nosuch:x', 'a', '--', 'true'], /known are sqlite: redis:/],
  [['run', '--url', 'memory:', 'a', '--', 'true'], /keep nobody out/],
  [['elect', 'a', 'b', '--', 'true'], /too many arguments/],
  [['break', 'a'], /required option '--owner/],
  [['nosuch'], /unknown command/],
  [['--url', 'memory:', 'ls'], /unknown option '--url'; options stand behind the command/],
] as const)('wrong usage ends with 64 and says what is allowed: %j', async (args, message) => {
  const { code, stdout, stderr } = await new World().run(args)
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' })
  expect(stderr).toMatch(message)
})

test('a command that the system refuses to start ends with 126', async () => {
  const names = ['x', 'y', 'z'].map((letter) => letter.repeat(65_000))
  const { code, stderr } = await new World().run(['run', ...names, '--', 'true'])
  expect(code).toBe(126)
  expect(stderr).toMatch(/could not be started: .*E2BIG/)
})

test('a command goes on when nobody reads what is said of its lock, and its status is passed on', async () => {
  const world = new World()
  const running = world.locks(['run', '--json', 'a', '--', 'sh', '-c', 'sleep 0.3; echo finished; exit 3'])
  running.process.stderr?.destroy()
  expect(await running.ended).toMatchObject({ code: 3, stdout: 'finished\n' })
})

test('a line of JSON is one, whatever names have in them', async () => {
  const name = 'https://me:too@x/y?id="3"'
  const { stderr } = await new World().run(['run', '--json', name, '--', 'true'])
  const events = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; names?: string[] })
  expect(events.find(({ event }) => event === 'granted')?.names).toEqual([name])
})

test('a store that cannot be reached ends with 69', async () => {
  const { code, stderr } = await new World().run(['ls'], { env: { LOCKS_URL: 'redis://127.0.0.1:1' } })
  expect(code).toBe(69)
  expect(stderr).toMatch(/^locks: the backend "redis" did not answer: .*\n$/)
})

test('a Node.js that is too old ends with 64, and is named', async () => {
  const env = { NODE_OPTIONS: '--import=data:text/javascript,delete%20Promise.withResolvers' }
  expect(await new World().run(['ls'], { env })).toMatchObject({
    code: 64,
    stdout: '',
    stderr: `locks: Node.js 22.13 or newer is needed; this is ${process.version}\n`,
  })
})
