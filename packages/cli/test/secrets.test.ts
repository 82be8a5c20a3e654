import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hasSecret, shownUrl, withoutSecrets } from '../src/store/secrets.ts'
import { World } from './support.ts'

const canary = 'kanarienvogel'

test.each([
  [`redis://:${canary}@db`, true],
  [`redis://user:${canary}@db:6379/0`, true],
  [`redis://user:pa/${canary}@db`, true],
  [`redis+sentinel://a,b/main?sentinelPassword=${canary}`, true],
  [`quorum:?node=${encodeURIComponent(`redis://:${canary}@a`)}&node=redis%3A%2F%2Fb&node=redis%3A%2F%2Fc`, true],
  ['quorum:?node=redis%3A%2F%2Fuser%40a&node=redis%3A%2F%2Fb&node=redis%3A%2F%2Fc', false],
  [`redis:/u:${canary}@h/0`, true],
  [`redis:u:${canary}@h/0`, true],
  [`redis://127.0.0.1:1/0?sentinelPassword=abc@${canary}`, true],
  ['redis://user@db', false],
  ['redis://db:6379,other:6379/0?prefix=x', false],
  ['sqlite:///tmp/a:b@c.db', false],
  ['sqlite:locks.db', false],
])('%s: refused in a command line %s', (url, refused) => {
  expect(hasSecret(url)).toBe(refused)
  expect(withoutSecrets(`at ${url} it failed`)).not.toContain(canary)
  expect(shownUrl(url)).not.toContain(canary)
})

test.each([
  ['redis://user:a b"c@db:1/0?prefix=x', 'redis://db:1/0?…'],
  ['sqlite:///tmp/a:b@c.db', 'sqlite:///tmp/a:b@c.db'],
  ['kanarienvogel', '(no URL)'],
])('%s is shown as %s', (url, shown) => expect(shownUrl(url)).toBe(shown))

test('a --url with a password is refused, and says where passwords go', async () => {
  const { code, stdout, stderr } = await new World().run(['ls', '--url', `redis://:${canary}@127.0.0.1:1`])
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' })
  expect(stderr).toMatch(/LOCKS_URL.*--url-file/)
  expect(stderr).not.toContain(canary)
})

test('a secret shows in no output, whatever goes wrong', async () => {
  const world = new World()
  const url = `redis://user:${canary}@127.0.0.1:1/0?sentinelPassword=${canary}`
  const calls = [
    [['ls'], { LOCKS_URL: url }],
    [['doctor'], { LOCKS_URL: url }],
    [['doctor', '--json'], { LOCKS_URL: `postgres://user:${canary}@127.0.0.1:1/x` }],
    [['ls', `--ur=${url}`], {}],
    [['run', 'a', `--urll=${url}`, '--json', '--', 'true'], {}],
    [['ls'], { LOCKS_URL: `nosuch://user:${canary}@host` }],
    [['ls'], { LOCKS_URL: canary }],
    [['doctor'], { LOCKS_URL: canary }],
  ] as const
  for (const [args, env] of calls) {
    const { code, stdout, stderr } = await world.run(args, { env })
    expect(code).toBeGreaterThan(0)
    expect(stdout + stderr).not.toContain(canary)
    expect(stdout + stderr).not.toBe('')
  }
})

test('--url-file holds one line, and excludes --url', async () => {
  const world = new World()
  const [good, bad] = [join(world.folder, 'good'), join(world.folder, 'bad')]
  writeFileSync(good, `sqlite:${world.database}\n`)
  writeFileSync(bad, 'sqlite:a\nsqlite:b\n')
  await world.manager().acquire('a')
  const env = { LOCKS_URL: '' }
  expect(await world.run(['run', '--wait', '0', '--url-file', good, 'a', '--', 'true'], { env })).toMatchObject({
    code: 75,
  })
  const refusals = [
    [['ls', '--url-file', bad], /must hold one line/],
    [['ls', '--url-file', join(world.folder, 'none')], /cannot be read \(ENOENT\)/],
    [['ls', '--url-file', good, '--url', 'sqlite:x'], /exclude each other/],
  ] as const
  for (const [args, message] of refusals) {
    const { code, stderr } = await world.run(args, { env })
    expect(code).toBe(64)
    expect(stderr).toMatch(message)
  }
})

test('without any URL locks are kept in the user’s state folder', async () => {
  const world = new World()
  const env = { LOCKS_URL: '', XDG_STATE_HOME: join(world.folder, 'a %state') }
  const { stdout } = await world.run(
    ['run', 'a', '--', 'sh', '-c', 'ls "$XDG_STATE_HOME/locks"; stat -c %a "$XDG_STATE_HOME/locks"'],
    { env },
  )
  expect(stdout).toMatch(/^locks\.db\n/)
  expect(stdout).toMatch(/\n700\n$/)
})

test('an adapter is never loaded from the working directory', async () => {
  const world = new World()
  const planted = join(world.folder, 'node_modules/@locks/sqlite')
  mkdirSync(planted, { recursive: true })
  writeFileSync(join(planted, 'package.json'), '{"name":"@locks/sqlite","type":"module","exports":"./index.js"}')
  writeFileSync(join(planted, 'index.js'), 'console.log("planted"); export const adapter = {}')
  const { code, stdout } = await world.run(['ls'], { cwd: world.folder })
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'nothing is held or waited for\n' })
})
