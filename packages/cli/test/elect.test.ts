import { expect, test } from 'vitest'
import { until, World } from './support.ts'

const command = ['sh', '-c', 'echo "leads $LOCKS_NAME $LOCKS_TOKEN"; exec sleep 1000']

test('one leads, and the next when it is gone', async () => {
  const world = new World()
  const [first, second] = [0, 1].map(() => world.locks(['elect', '--ttl', '1s', 'job', '--', ...command]))
  const leader = await until(() => [first, second].find((each) => each?.stdout.includes('leads job')))
  const other = leader === first ? second : first
  const locks = world.manager()
  await until(async () => (await locks.query('job')).pending.length === 1)
  expect(other?.stdout).toBe('')
  leader.kill('SIGKILL')
  await until(() => other?.stdout.includes('leads job'))
})

test('the command is stopped when leadership is lost, and started again, with a higher token, when it returns', async () => {
  const world = new World()
  const candidate = world.locks(['elect', '--ttl', '1s', 'job', '--', ...command])
  await until(() => candidate.stdout.split('\n').length === 2)
  const locks = world.manager()
  const thief = await locks.acquire('job', { steal: true })
  await until(() => candidate.stderr.includes('the lock was lost: job'))
  await until(async () => (await locks.query('job')).pending.length === 1)
  await thief.release()
  await until(() => candidate.stdout.split('\n').length === 3)
  const [before = '', after = ''] = candidate.stdout.split('\n').map((line) => line.split(' ')[2])
  expect(BigInt(before)).toBeLessThan(thief.token)
  expect(BigInt(after)).toBeGreaterThan(thief.token)
})

test('a command that ends by itself ends it, with its own status', async () => {
  const world = new World()
  expect(await world.run(['elect', 'job', '--', 'sh', '-c', 'exit 6'])).toMatchObject({ code: 6, stderr: '' })
  expect(await world.manager().query()).toEqual({ held: [], pending: [] })
})

test('a signal ends the campaign, or goes to the command', async () => {
  const world = new World()
  const leading = world.locks(['elect', 'job', '--', ...command])
  await until(() => leading.stdout)
  const waiting = world.locks(['elect', 'job', '--', ...command])
  const locks = world.manager()
  await until(async () => (await locks.query('job')).pending.length === 1)
  waiting.kill('SIGINT')
  expect(await waiting.ended).toMatchObject({ signal: 'SIGINT', stdout: '' })
  leading.kill('SIGTERM')
  expect(await leading.ended).toMatchObject({ signal: 'SIGTERM' })
  expect(await locks.query()).toEqual({ held: [], pending: [] })
})

test('who leads is shown with its value, and watched by notification', async () => {
  const world = new World()
  expect(await world.run(['leader', 'job'])).toMatchObject({ code: 0, stdout: 'nobody leads job\n', stderr: '' })
  expect(await world.run(['leader', 'job', '--json'])).toMatchObject({ code: 0, stdout: 'null\n' })
  const watching = world.locks(['leader', 'job', '--watch'])
  await until(() => watching.stdout === 'nobody leads job\n')
  const options = ['--owner', 'me', '--value', 'http://a b\n']
  const leading = world.locks(['elect', ...options, 'job', '--', ...command])
  await until(() => watching.stdout.split('\n').length === 3)
  const [, token = ''] = /token (\d+)/.exec(watching.stdout) ?? []
  expect(watching.stdout.split('\n')[1]).toMatch(/^http:\/\/a b\\u\{a\}\towner me, token \d+, for [\d.]+m?s$/)
  await until(() => leading.stdout)
  expect(leading.stdout).toBe(`leads job ${token}\n`)
  const { stdout } = await world.run(['leader', 'job', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ value: 'http://a b\n', owner: 'me', token })
  leading.kill('SIGTERM')
  await until(() => watching.stdout.endsWith('nobody leads job\n') && watching.stdout.split('\n').length === 4)
  watching.kill('SIGINT')
  expect(await watching.ended).toMatchObject({ signal: 'SIGINT', stderr: '' })
})
