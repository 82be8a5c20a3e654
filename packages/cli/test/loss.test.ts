import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cleanup, diarist, kill, signalWhen, stateOf, times, until, World } from './support.ts'

/** Keeps everybody else from writing, as a slow transaction does. */
function block(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  cleanup(() => database.close())
  database.exec('PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE')
  return database
}

test('a store that falls silent: SIGTERM, death before the deadline', async () => {
  const world = new World()
  const diary = join(world.folder, 'diary')
  const locks = world.locks(['run', 'a', '--', 'sh', '-c', diarist, 'x', diary])
  await until(() => times(diary, 'alive').length > 0)
  const database = block(world.database)
  // Nothing renews it any more: this is when the store lets others have it, on the wall clock.
  const { expires } = database.prepare('SELECT expires FROM entry').get() as { expires: number }
  const proved = expires - 10_000
  const { code, stderr } = await locks.ended
  expect(code).toBe(76)
  // After what shells have to say of a sleep that was ended.
  expect(stderr).toMatch(/(^|\n)locks: the lock was lost: a; the command has ended by SIGKILL\n$/)
  const [asked = 0] = times(diary, 'term')
  const last = times(diary, 'alive').at(-1) ?? Number.POSITIVE_INFINITY
  expect(asked).toBeGreaterThanOrEqual(proved + 6_500)
  expect(last).toBeGreaterThan(asked)
  expect(last).toBeLessThan(proved + 9_000)
  expect(Date.now()).toBeLessThan(expires)
  expect(world.processes()).toEqual([])
  database.exec('COMMIT')
})

test('a store that is silent for a moment stops nobody', async () => {
  const world = new World()
  const locks = world.locks(['run', 'a', '--', 'sh', '-c', 'echo ready; read line; exit 4'])
  await until(() => locks.stdout)
  const database = block(world.database)
  const entry = () => database.prepare('SELECT expires FROM entry').get() as { expires: number }
  const { expires } = entry()
  // The renewals from a third of the ttl after the last proof on find it busy; from half a ttl on the lock is at risk.
  await until(() => Date.now() > expires - 10_000 + 5_200)
  database.exec('COMMIT')
  await until(() => entry().expires > expires)
  locks.process.stdin?.end('\n')
  expect(await locks.ended).toMatchObject({ code: 4, stderr: '' })
})

test('a stolen lock: SIGTERM, and the command may end in its own way', async () => {
  const world = new World()
  const script = `trap 'echo term; exit 0' TERM; echo ready; while :; do read line || sleep 1; done`
  const victim = world.locks(['run', '--ttl', '2s', 'a', '--', 'sh', '-c', script])
  await until(() => victim.stdout.includes('ready'))
  await world.manager().acquire('a', { steal: true })
  expect(await victim.ended).toEqual({
    code: 76,
    signal: null,
    stdout: 'ready\nterm\n',
    stderr: 'locks: the lock was lost: a; the command has ended with 0\n',
  })
})

test('a stolen lock: a command that does not end is killed after the grace', async () => {
  const world = new World()
  const diary = join(world.folder, 'diary')
  const args = ['run', '--ttl', '3s', '--grace', '300ms', 'a', '--', 'sh', '-c', diarist, 'x', diary]
  const victim = world.locks(args)
  await until(() => times(diary, 'alive').length > 0)
  await world.manager({ ttl: 3_000 }).acquire('a', { steal: true })
  const stolen = Date.now()
  expect(await victim.ended).toMatchObject({ code: 76 })
  expect(times(diary, 'term')).toHaveLength(1)
  // A renewal to learn of it, and the grace; every deadline that the victim had is a whole ttl away at the most.
  expect(times(diary, 'alive').at(-1)).toBeLessThan(stolen + 3_000 * 0.9)
})

test('one lock of several is enough', async () => {
  const world = new World()
  const victim = world.locks(['run', '--ttl', '2s', 'a', 'b', '--', 'sh', '-c', 'echo ready; sleep 1000'])
  await until(() => victim.stdout.includes('ready'))
  await world.manager().acquire('b', { steal: true })
  expect(await victim.ended).toMatchObject({
    code: 76,
    stderr: 'locks: the lock was lost: a, b; the command has ended by SIGTERM\n',
  })
  expect((await world.manager().query('a')).held).toEqual([])
})

test('stopped while another gets the lock: on waking it kills the command first', async () => {
  const world = new World()
  const diary = join(world.folder, 'diary')
  const locks = world.locks(['run', '--ttl', '1s', 'a', '--', 'sh', '-c', diarist, 'x', diary])
  await until(() => times(diary, 'alive').length > 0)
  kill(locks.pid, 'SIGSTOP')
  await until(() => stateOf(locks.pid) === 'T')
  const lock = await world.manager().acquire('a')
  // It cannot act: the command goes on.
  const granted = Date.now()
  await until(() => (times(diary, 'alive').at(-1) ?? 0) > granted)
  kill(locks.pid, 'SIGCONT')
  expect(await locks.ended).toMatchObject({
    code: 76,
    stderr: 'locks: the lock was lost: a; the command has ended by SIGKILL\n',
  })
  expect(times(diary, 'term')).toEqual([])
  expect(lock.held).toBe(true)
})

test('stopped before the command runs, and woken when another has the lock: it never runs', async () => {
  const world = new World()
  const args = ['run', '--ttl', '1s', 'a', '--', 'echo', 'ran']
  const locks = world.locks(args, signalWhen('process 2 started', 'SIGSTOP'))
  await until(() => stateOf(locks.pid) === 'T')
  await world.manager().acquire('a')
  kill(locks.pid, 'SIGCONT')
  expect(await locks.ended).toMatchObject({ code: 76, stdout: '' })
})

test('Ctrl-Z past the ttl: the command has stood still, and does nothing on waking', async () => {
  const world = new World()
  const diary = join(world.folder, 'diary')
  const locks = world.locks(['run', '--ttl', '1s', 'a', '--', 'sh', '-c', diarist, 'x', diary])
  await until(() => times(diary, 'alive').length > 0)
  kill(locks.pid, 'SIGTSTP')
  await until(() => stateOf(locks.pid) === 'T')
  await world.manager().acquire('a')
  const granted = Date.now()
  kill(locks.pid, 'SIGCONT')
  expect(await locks.ended).toMatchObject({ code: 76 })
  expect(times(diary, 'alive').at(-1)).toBeLessThan(granted)
})
