import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { postgres } from '@locks/postgres'
import { startLink, startPostgres, type NetworkHost } from '@locks/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleanup, leftAt, nothing, open, queued, until } from './fixtures.ts'
import { register, type Holder, type Write } from './holder.ts'

const link = await startLink()
const server = await startPostgres({ at: link.near })
afterAll(async () => {
  await server.end()
  await link.end()
})
beforeAll(async () => {
  await server.psql(register)
})

const ttl = 2_000
/** The test's process reaches the server by its Unix socket. */
const near = () =>
  open(postgres({ config: { host: server.folder, port: server.port, user: 'postgres' } }), { ttl: 4 * ttl })

interface Held {
  readonly process: ChildProcess
  readonly token: bigint
  /** Has it write; its answer. */
  write(): Promise<Write>
}

/** A process that holds a lock, on a host of ours. */
async function holderAt({ enter }: NetworkHost, name: string): Promise<Held> {
  const program = fileURLToPath(new URL('./holder.ts', import.meta.url))
  const options: Holder = { url: server.url, ttl, name }
  const [command, ...args] = [
    ...enter,
    process.execPath,
    '--conditions=@locks/source',
    program,
    JSON.stringify(options),
  ]
  const child = spawn(command ?? '', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  cleanup(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => JSON.parse(((await lines.next()) as { value: string }).value) as unknown
  const { token } = (await next()) as { token: string }
  const write = () => {
    child.stdin.write('\n')
    return next() as Promise<Write>
  }
  return { process: child, token: BigInt(token), write }
}

const silences = {
  stopped: (held: Held) => ({
    begin: () => void held.process.kill('SIGSTOP'),
    end: () => void held.process.kill('SIGCONT'),
  }),
  'cut off by a link that goes down': () => ({ begin: () => link.down(), end: () => link.up() }),
}

test.for(Object.entries(silences))(
  'a holder that is %s for three ttl is replaced within ttl + 2 s, knows it at once, and writes nothing more',
  async ([how, silenceOf]) => {
    const name = how
    const locks = await near()
    const holder = await holderAt(link.far, name)
    expect(await holder.write()).toEqual({ error: null, aborted: false, accepted: true })
    const waiting = locks.acquire(name)
    await queued(locks, name, 1)

    const silence = silenceOf(holder)
    await silence.begin()
    const began = performance.now()
    cleanup(() => silence.end())
    const next = await waiting
    const took = performance.now() - began
    console.log(`${how}: replaced after ${took.toFixed()} ms with a ttl of ${ttl} ms`)
    expect(took).toBeLessThanOrEqual(ttl + 2_000)
    expect(next.token).toBeGreaterThan(holder.token)
    await server.psql(`UPDATE register SET token = ${next.token} WHERE token <= ${next.token}`)
    // One session is left, of two connections; the rest of the other one's goes when it is found to be silent.
    await until('the server has dropped it', async () => (await server.sessions()) === 2)

    await sleep(3 * ttl - (performance.now() - began))
    await silence.end()
    expect(await holder.write()).toEqual({ error: 'LOST', aborted: true, accepted: false })
    expect(next.held).toBe(true)
    await expect(next.release()).resolves.toBe('released')
  },
)

test('a holder that is killed is replaced at once', async () => {
  const locks = await near()
  const took: number[] = []
  for (let round = 0; round < 5; round++) {
    const holder = await holderAt(link.far, 'killed')
    const waiting = locks.acquire('killed')
    await queued(locks, 'killed', 1)
    holder.process.kill('SIGKILL')
    const began = performance.now()
    const next = await waiting
    took.push(performance.now() - began)
    expect(next.token).toBeGreaterThan(holder.token)
    await next.release()
  }
  console.log(`killed: replaced after ${took.map((ms) => ms.toFixed()).join(', ')} ms`)
  expect(Math.max(...took)).toBeLessThanOrEqual(2_000)
  await locks.close()
  await until('nothing is left', async () => {
    const left = await leftAt(server)
    return JSON.stringify({ ...left, sessions: 0 }) === JSON.stringify(nothing)
  })
})
