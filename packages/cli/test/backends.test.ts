/** `locks` on every store that is a server; on SQLite and without a store it is what the other files are about. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startProxy, type Proxy } from '@locks/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Described } from '../src/commands/described.ts'
import { stores, type Started } from './stores.ts'
import { cleanup, diarist, notingDeadline, read, times, until, World, type Running } from './support.ts'

const chosen = process.env.LOCKS_TEST_BACKENDS?.split(',')

test('no adapter that locks can load is left out', () => {
  const manifest = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')
  const { peerDependencies } = JSON.parse(manifest) as { peerDependencies: object }
  expect(stores.map(({ name }) => `@locks/${name}`).sort()).toEqual(Object.keys(peerDependencies).sort())
})

describe.for(stores.filter(({ name }) => chosen?.includes(name) ?? true))('on $name', (store) => {
  let started: Started
  let proxy: Proxy
  beforeAll(async () => {
    ;[started, proxy] = await Promise.all([store.start(), startProxy()])
  })
  afterAll(() => Promise.all([started.server.end(), proxy.end()]))
  const url = (port?: number) => started.url(port)

  /** A command that shows its token, and goes on until it is told to end. */
  async function holding(world: World, ...options: string[]): Promise<{ holder: Running; token: string }> {
    const holder = world.locks(['run', ...options, 'a', '--', 'sh', '-c', 'echo "$LOCKS_TOKEN"; read -r line'])
    await until(() => holder.stdout.endsWith('\n'))
    return { holder, token: holder.stdout.trim() }
  }

  /** The command of the next in line says when it runs. */
  function waiting(world: World, ...options: string[]): Running {
    return world.locks(['run', ...options, 'a', '--', 'sh', '-c', 'date +%s%3N; echo "$LOCKS_TOKEN"'])
  }

  async function inspect(world: World): Promise<Described> {
    return JSON.parse((await world.run(['inspect', 'a', '--json'])).stdout) as Described
  }

  test('the command’s status is passed on', async () => {
    expect(await new World(url()).run(['run', 'a', '--', 'sh', '-c', 'exit 7'])).toMatchObject({ code: 7 })
  })

  test('a name that is held is refused, at once or in time, and then is free', async () => {
    const world = new World(url())
    const { holder } = await holding(world)
    const run = (...options: string[]) => world.run(['run', ...options, 'a', '--', 'echo', 'ran'])
    expect(await run('--wait', '0')).toMatchObject({ code: 75, stdout: '' })
    expect(await run('--wait', '1s', '--conflict-exit-code', '3')).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/^locks: a was not granted within 1\.0s$/m) as string,
    })
    holder.process.stdin?.end('\n')
    expect(await holder.ended).toMatchObject({ code: 0 })
    expect(await run()).toMatchObject({ code: 0, stdout: 'ran\n' })
  })

  test('ls and inspect show who holds and who waits; break hands over, where there is a way', async () => {
    const world = new World(url())
    const { holder, token } = await holding(world, '--owner', 'me')
    const waiter = waiting(world, '--owner', 'you')
    await until(async () => (await inspect(world)).waiting.length === 1)
    expect(token).toMatch(/^\d+$/)
    const shown = { name: 'a', held: [{ owner: 'me', token }], waiting: [{ owner: 'you' }] }
    expect(await inspect(world)).toMatchObject(shown)
    expect(JSON.parse((await world.run(['ls', '--json'])).stdout)).toMatchObject([shown])
    const breaking = (held: string) => world.run(['break', 'a', '--owner', 'me', '--token', held, '--yes'])
    if (store.breaks) {
      expect(await breaking(`${token}0`)).toMatchObject({ code: 75 })
      expect(await breaking(token)).toMatchObject({ code: 0 })
      expect(await holder.ended).toMatchObject({ code: 76 })
    } else {
      expect(await breaking(token)).toMatchObject({
        code: 64,
        stderr: expect.stringContaining('end the process') as string,
      })
      holder.process.stdin?.end('\n')
      expect(await holder.ended).toMatchObject({ code: 0 })
    }
    const { code, stdout } = await waiter.ended
    expect(code).toBe(0)
    expect(BigInt(stdout.split('\n')[1] ?? '')).toBeGreaterThan(BigInt(token))
  })

  test('doctor: reachable, how fast, how far its clock is ahead, and no warning', async () => {
    const world = new World(url())
    const { code, stdout } = await world.run(['doctor', '--json'])
    const { measured, warnings, ...found } = JSON.parse(stdout) as Examined
    expect({ code, ...found }).toMatchObject({ code: 0, reachable: true, from: 'LOCKS_URL' })
    expect(measured.latencyMs).toMatchObject({ rounds: 20, median: expect.any(Number) as number })
    expect(measured.latencyMs.median).toBeGreaterThan(0)
    expect(measured.clock !== null).toBe(store.clock)
    // It is this machine's.
    const { offsetMs, uncertaintyMs } = measured.clock ?? { offsetMs: 0, uncertaintyMs: 0 }
    expect(Math.abs(offsetMs)).toBeLessThanOrEqual(uncertaintyMs)
    // Debian's etcd is an old one.
    expect(warnings.map((each) => each.code).filter((each) => each !== 'ETCD_MAY_REVOKE_LEASES')).toEqual([])
    // What it measured with is gone.
    expect((await world.run(['ls', '--json'])).stdout).toBe('[]\n')
  })

  test('the server stops: the command, which does not want to end, is dead before the deadline', async () => {
    const ttl = 10_000
    const world = new World(url())
    const [diary, noted] = [join(world.folder, 'diary'), join(world.folder, 'deadline')]
    const args = ['run', 'a', '--', 'sh', '-c', diarist, 'x', diary]
    const locks = world.locks(args, notingDeadline(noted))
    await until(() => times(diary, 'alive').length > 0)
    await started.server.stop()
    const stopped = Date.now()
    cleanup(() => started.server.continue())
    const { code, stderr } = await locks.ended
    expect(code).toBe(76)
    expect(stderr).toMatch(/^locks: the lock was lost: a; the command has ended by SIGKILL$/m)
    const deadline = Number(read(noted))
    // Whatever has been confirmed was asked for before.
    expect(deadline).toBeLessThan(stopped + 0.9 * ttl)
    const [asked = 0] = times(diary, 'term')
    const last = times(diary, 'alive').at(-1) ?? Number.POSITIVE_INFINITY
    expect(last).toBeGreaterThan(asked)
    expect(last).toBeLessThan(deadline)
    expect(world.processes()).toEqual([])
    await started.server.continue()
    expect(await world.run(['run', 'a', '--', 'echo', 'free'])).toMatchObject({ code: 0, stdout: 'free\n' })
  })

  test('cut off from a server that serves others: the command is dead before theirs runs', async () => {
    const line = await proxy.line({
      upstreams: [{ host: '127.0.0.1', port: started.server.port }],
      framing: store.framing,
    })
    cleanup(() => line.close())
    const world = new World(url())
    const diary = join(world.folder, 'diary')
    const args = ['run', '--ttl', '5s', 'a', '--', 'sh', '-c', diarist, 'x', diary]
    const victim = world.locks(args, { env: { LOCKS_URL: url(line.ports[0]) } })
    await until(() => times(diary, 'alive').length > 0)
    await line.wire.silence()
    const waiter = waiting(world)
    expect(await victim.ended).toMatchObject({ code: 76 })
    const { code, stdout } = await waiter.ended
    expect(code).toBe(0)
    expect(times(diary, 'alive').at(-1)).toBeLessThan(Number(stdout.split('\n')[0]))
  })

  // Last: it spoils the server.
  test('doctor: what a start-up check finds is said', async () => {
    const { code: expected, message } = await started.spoil()
    const { stdout } = await new World(url()).run(['doctor', '--json'])
    const { warnings, problem } = JSON.parse(stdout) as Examined
    const found = [...warnings, ...(problem ? [problem] : [])].find(({ code }) => code === expected)
    expect(found?.message).toMatch(message)
    // A server that has said so need not be looked for.
    expect(stdout).not.toContain('Is the server running')
  })
})

interface Examined {
  readonly measured: {
    readonly latencyMs: { readonly median: number }
    readonly clock: { readonly offsetMs: number; readonly uncertaintyMs: number } | null
  }
  readonly warnings: readonly Finding[]
  readonly problem?: Finding
}

interface Finding {
  readonly code: string
  readonly message: string
}
