import { expect, test } from 'vitest'
import { span } from '../src/durations.ts'
import { json, visible } from '../src/output/escape.ts'
import { quoted, until, World } from './support.ts'

const nasty = 'a\u001B[2J\n\u009B\u202Eb\\'

test.each([
  ['deploy', 'deploy'],
  ['naïve 鎖 🔒', 'naïve 鎖 🔒'],
  ['', '""'],
  ['\u001B[31m', '\\u{1b}[31m'],
  ['a\u202Eb\u200B', 'a\\u{202e}b\\u{200b}'],
  ['\uD800', '\\u{d800}'],
  ['a\\u{1b}', 'a\\\\u{1b}'],
  ['\u{E0041}', '\\u{e0041}'],
])('%j is shown as %j', (text, shown) => expect(visible(text)).toBe(shown))

test('JSON is one line of printable characters, and says the same', () => {
  const value = { [nasty]: nasty, tag: '\u{E0041}', token: 9_007_199_254_740_993n }
  // oxlint-disable-next-line no-control-regex
  expect(json(value)).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202E\n]|\u{E0041}/u)
  expect(JSON.parse(json(value))).toEqual({ ...value, token: '9007199254740993' })
})

test.each([
  [0, '0.0s'],
  [9_940, '9.9s'],
  [59_999, '59s'],
  [60_000, '1m 0s'],
  [3_725_000, '1h 2m'],
  [90_000_000, '1d 1h'],
])('%i ms are %s', (ms, text) => expect(span(ms)).toBe(text))

test('ls and inspect show holders and waiters, escaped, as text and as JSON', async () => {
  const world = new World()
  const [first, second, third] = ['one', nasty, 'three'].map((owner) => world.manager({ owner }))
  const held = await first?.acquire(nasty)
  for (const [at, locks] of [second, third].entries()) {
    locks?.acquire(nasty).catch(() => {})
    await until(async () => (await first?.query(nasty))?.pending.length === at + 1)
  }
  await first?.acquire('gpu', { permits: 4, weight: 2 })

  const list = await world.run(['ls'])
  expect(list.stdout.split('\n').map((line) => line.replace(/ {2,}/g, '|').replace(/\d+\.\ds/, 'AGE'))).toEqual([
    'NAME|MODE|OWNER|TOKEN|AGE|WAITERS',
    `${visible(nasty)}|exclusive|one|${held?.token}|AGE|2`,
    expect.stringMatching(/^gpu\|2 of 4 permits\|one\|\d+\|AGE\|0$/) as string,
    '',
  ])
  const inspected = await world.run(['inspect', nasty])
  expect(inspected.stdout).toContain(`place 1  ${visible(nasty)} `)
  expect(inspected.stdout).toMatch(/place 2 {2}three /)
  expect(inspected.stdout).toContain(String(held?.token))
  // oxlint-disable-next-line no-control-regex
  expect(list.stdout + inspected.stdout).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/)

  const all = JSON.parse((await world.run(['ls', '--json'])).stdout) as { name: string }[]
  const one = JSON.parse((await world.run(['inspect', nasty, '--json'])).stdout) as object
  expect(all.map(({ name }) => name)).toEqual([nasty, 'gpu'])
  expect(one).toMatchObject({
    name: nasty,
    held: [{ owner: 'one', mode: 'exclusive', token: String(held?.token), ageMs: expect.any(Number) as number }],
    waiting: [{ owner: nasty }, { owner: 'three' }],
  })
})

test('what is free is said to be', async () => {
  const world = new World()
  expect(await world.run(['ls'])).toMatchObject({ code: 0, stdout: 'nothing is held or waited for\n' })
  expect(await world.run(['ls', '--json'])).toMatchObject({ code: 0, stdout: '[]\n' })
  expect(await world.run(['inspect', 'a'])).toMatchObject({ code: 0, stdout: 'a is free\n' })
})

test('--watch without a terminal adds what has changed, a line each as JSON', async () => {
  const world = new World()
  const locks = world.manager()
  const watching = world.locks(['ls', '--watch', '--json', '--interval', '20ms'])
  await until(() => watching.stdout === '[]\n')
  const held = await locks.acquire('a')
  await until(() => watching.stdout.includes('"a"'))
  await held.release()
  await until(() => watching.stdout.endsWith('\n[]\n'))
  watching.kill('SIGTERM')
  expect(await watching.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' })
  for (const line of watching.stdout.trim().split('\n')) expect(JSON.parse(line)).toBeInstanceOf(Array)
})

test('a reader that has left ends it quietly', async () => {
  const world = new World()
  const line = [process.execPath, ...world.argv(['ls', '--watch', '--json', '--interval', '20ms'])].map(quoted)
  const piped = world.start('bash', ['-c', `${line.join(' ')} | head -n 1; echo "\${PIPESTATUS[0]}"`])
  await until(() => piped.stdout.includes('[]'))
  await world.manager().acquire('a')
  expect(await piped.ended).toMatchObject({ stdout: '[]\n1\n', stderr: '' })
})

test('run as JSON tells what happens in lines on stderr', async () => {
  const world = new World()
  const events = (stderr: string) =>
    stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const done = await world.run(['run', '--json', '--owner', 'me', 'a', '--', 'echo', 'out'])
  expect(done.stdout).toBe('out\n')
  expect(events(done.stderr)).toMatchObject([
    { event: 'granted', names: ['a'], owner: 'me', tokens: [expect.stringMatching(/^\d+$/)] },
    { event: 'ended', ending: 0 },
  ])
  await world.manager().acquire('a')
  const refused = await world.run(['run', '--json', '--wait', '0', 'a', '--', 'true'])
  expect(events(refused.stderr)).toMatchObject([{ event: 'failed', code: 'TIMEOUT', exitCode: 75 }])
  const misused = await world.run(['run', '--json', '--nosuch', 'a', '--', 'true'])
  expect(events(misused.stderr)).toMatchObject([{ event: 'failed', code: 'USAGE', exitCode: 64 }])
})

test('break needs owner and token as they are shown, and leaves the lock to the next in line', async () => {
  const world = new World()
  const locks = world.manager({ owner: nasty })
  const { token, signal } = await locks.acquire('a')
  const next = world.manager({ owner: 'next' }).acquire('a')
  await until(async () => (await locks.query('a')).pending.length === 1)
  const breaking = (owner: string, held: bigint, ...more: string[]) =>
    world.run(['break', 'a', '--owner', owner, '--token', String(held), ...more])

  expect(await breaking(visible(nasty), token)).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('--yes') as string,
  })
  const wrong = await breaking('other', token, '--yes')
  expect(wrong).toMatchObject({ code: 75, stderr: `locks: a is held by ${visible(nasty)} with token ${token}\n` })
  expect(await breaking(visible(nasty), token + 1n, '--yes')).toMatchObject({ code: 75 })
  expect(signal.aborted).toBe(false)
  expect(await breaking(visible(nasty), token, '--yes')).toMatchObject({ code: 0, stderr: '' })
  expect((await next).token).toBeGreaterThan(token)
  expect(await breaking(visible(nasty), token, '--yes')).toMatchObject({ code: 75 })
})

test('break refuses what is free, and what several hold', async () => {
  const world = new World()
  const locks = world.manager({ owner: 'me' })
  const breaking = (name: string) => world.run(['break', name, '--owner', 'me', '--token', '1', '--yes'])
  expect(await breaking('a')).toMatchObject({ code: 75, stderr: 'locks: a is not held\n' })
  await locks.acquire('b', { mode: 'shared' })
  await locks.acquire('b', { mode: 'shared' })
  expect(await breaking('b')).toMatchObject({ code: 75, stderr: expect.stringContaining('b has 2 holders') as string })
})

test.each(['run', 'elect', 'leader', 'ls', 'inspect', 'break', 'doctor'])(
  'the help of %s teaches by example',
  async (name) => {
    const { code, stdout, stderr } = await new World().run([name, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`Examples:\n  .*locks ${name}`, 's'))
  },
)
