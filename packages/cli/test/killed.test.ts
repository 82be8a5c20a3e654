import { expect, test } from 'vitest'
import { kill, read, signalWhen, stateOf, until, World, type Running } from './support.ts'

/** A command with a process of its own behind it, both of which say who they are, and which no polite signal ends. */
const family = `trap '' TERM INT HUP; echo "parent $$"; sh -c 'trap "" TERM INT HUP; echo "child $$"; while :; do sleep 1; done' & while :; do sleep 1; done`

async function running(world: World, ...options: string[]): Promise<Running> {
  const locks = world.locks(['run', ...options, 'a', '--', 'sh', '-c', family])
  await until(() => locks.stdout.split('\n').length === 3)
  return locks
}

/** The lock comes free, if only by its ttl. */
async function comesFree(world: World): Promise<void> {
  const lock = await world.manager().acquire('a')
  await lock.release()
}

test('killed while it waits: nothing is left, and its place is passed over', async () => {
  const world = new World()
  const locks = world.manager({ ttl: 1_000 })
  const held = await locks.acquire('a')
  const waiting = world.locks(['run', '--ttl', '1s', 'a', '--', 'true'])
  await until(async () => (await locks.query('a')).pending.length === 1)
  waiting.kill('SIGKILL')
  await waiting.ended
  await until(() => world.processes().length === 0)
  await held.release()
  await comesFree(world)
})

test.each([
  ['it holds the lock and nothing runs', 'granted'],
  ['its watchdog has been started', 'process 1 started'],
  ['the command has been started', 'process 2 started'],
])('killed when %s: nothing is left', async (_, moment) => {
  const world = new World()
  const args = ['run', '--ttl', '1s', 'a', '--', 'sh', '-c', `echo ran; ${family}`]
  const { signal, stdout } = await world.run(args, signalWhen(moment, 'SIGKILL'))
  expect({ signal, stdout }).toEqual({ signal: 'SIGKILL', stdout: '' })
  await until(() => world.processes().length === 0)
  await comesFree(world)
})

test('killed while the command runs: its whole group dies', async () => {
  const world = new World()
  const locks = await running(world, '--ttl', '1s')
  // The two of the command, the watchdog, locks, and whatever sleeps.
  expect(world.processes().length).toBeGreaterThanOrEqual(4)
  locks.kill('SIGKILL')
  await until(() => world.processes().length === 0)
  await comesFree(world)
})

test('killed together with its process group: so does the command’s', async () => {
  const world = new World()
  const shell = world.start('setsid', ['-w', process.execPath, ...world.argv(['run', 'a', '--', 'sh', '-c', family])])
  await until(() => shell.stdout.split('\n').length === 3)
  const locks = Number(
    read(`/proc/${/parent (\d+)/.exec(shell.stdout)?.[1]}/stat`)
      .split(') ')[1]
      ?.split(' ')[1],
  )
  kill(-locks)
  await until(() => world.processes().length === 0)
})

test('what a command leaves behind in its group ends with it', async () => {
  const world = new World()
  const { code, stdout } = await world.run(['run', 'a', '--', 'sh', '-c', 'sleep 1000 >&- 2>&- & echo $!'])
  expect(code).toBe(0)
  expect(Number(stdout)).toBeGreaterThan(1)
  await until(() => world.processes().length === 0)
})

test('nothing is left after an orderly end either', async () => {
  const world = new World()
  await world.run(['run', 'a', '--', 'true'])
  await until(() => world.processes().length === 0)
  expect(await world.manager().query()).toEqual({ held: [], pending: [] })
})

test('a signal ends the wait, and its place in the queue at once', async () => {
  const world = new World()
  const locks = world.manager()
  await locks.acquire('a')
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const waiting = world.locks(['run', 'a', '--', 'echo', 'ran'])
    await until(async () => (await locks.query('a')).pending.length === 1)
    waiting.kill(signal)
    expect(await waiting.ended).toEqual({ code: null, signal, stdout: '', stderr: '' })
    expect((await locks.query('a')).pending).toEqual([])
  }
})

test('a signal goes to the command, which may do with it what it likes', async () => {
  const world = new World()
  const script = `trap 'echo usr; ' USR1; trap 'echo term; exit 9' TERM; echo ready; while :; do read line; done`
  const locks = world.locks(['run', 'a', '--', 'sh', '-c', script])
  await until(() => locks.stdout.includes('ready'))
  locks.kill('SIGUSR1')
  await until(() => locks.stdout.includes('usr'))
  locks.kill('SIGTERM')
  expect(await locks.ended).toMatchObject({ code: 9, signal: null, stdout: 'ready\nusr\nterm\n', stderr: '' })
})

test('a command that dies by a forwarded signal takes locks with it by the same one', async () => {
  const world = new World()
  const locks = world.locks(['run', 'a', '--', 'sh', '-c', 'echo ready; sleep 1000; :'])
  await until(() => locks.stdout.includes('ready'))
  locks.kill('SIGTERM')
  expect(await locks.ended).toMatchObject({ code: null, signal: 'SIGTERM' })
  await until(() => world.processes().length === 0)
})

test('Ctrl-Z stops the command as well, and both go on together', async () => {
  const world = new World()
  const locks = world.locks(['run', 'a', '--', 'sh', '-c', 'echo $$; read line; echo "went on"'])
  const command = Number(await until(() => locks.stdout))
  locks.kill('SIGTSTP')
  await until(() => stateOf(locks.pid) === 'T' && stateOf(command) === 'T')
  locks.kill('SIGCONT')
  locks.process.stdin?.end('\n')
  expect(await locks.ended).toMatchObject({ code: 0, stdout: `${command}\nwent on\n` })
})
