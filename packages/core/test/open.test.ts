import { LockError, LockManager, openLocks, type Adapter, type OpenOptions } from '@locks/core'
import type { Backend, Session } from '@locks/core/backend'
import { adapter as memoryAdapter, memory } from '@locks/core/memory'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect, promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'

const canary = 'S3CR3T'

async function failure(call: Promise<unknown>): Promise<LockError> {
  const error: unknown = await call.then(
    () => expect.unreachable('it did not fail'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(LockError)
  expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(canary)
  return error as LockError
}

async function opened(url: string, options?: OpenOptions): Promise<LockManager> {
  const locks = await openLocks(url, options)
  onTestFinished(() => locks.close())
  return locks
}

/** An adapter of which a test decides how its backend opens. */
function adapterThat(open: Backend['open'], scheme = 'test'): Adapter {
  return { schemes: [scheme], fromUrl: () => ({ ...memory(), name: 'test', open }) }
}

describe('the URL', () => {
  test('of an unknown scheme is refused with the list of the known ones', async () => {
    const adapters = [adapterThat(() => expect.unreachable(), 'mine')]
    const { code, message } = await failure(openLocks(`carrier-pigeon://me:${canary}@host`, { adapters }))
    expect(code).toBe('INVALID_ARGUMENT')
    expect(message).toContain('"carrier-pigeon:"')
    for (const known of [
      'memory:',
      'redis:',
      'rediss:',
      'redis+sentinel:',
      'redis+cluster:',
      'zookeeper:',
      'etcd:',
      'etcds:',
    ]) {
      expect(message).toContain(` ${known}`)
    }
    for (const known of ['postgres:', 'sqlite:', 'mine:']) expect(message).toContain(` ${known}`)
  })

  test('that is none is refused without being shown', async () => {
    const wrong = [
      '',
      canary,
      `//me:${canary}@host`,
      `:${canary}`,
      `${canary}/x`,
      5,
      undefined,
      null,
      new URL(`redis://:${canary}@host`),
    ]
    for (const url of wrong) {
      const { code, message } = await failure(openLocks(url as string))
      expect(code).toBe('INVALID_ARGUMENT')
      expect(message).toMatch(/must look like "memory:"|must be a string/)
    }
  })

  test('with a # that is not encoded is refused with how it is written', async () => {
    for (const url of [`redis://:a#${canary}@host`, 'sqlite:a#b.db']) {
      expect((await failure(openLocks(url))).message).toMatch(/a # in it is written %23$/)
    }
    expect((await failure(openLocks('locks.db'))).message).not.toContain('%23')
  })

  test('of a scheme in capital letters is understood', async () => {
    await opened('MEMORY:')
  })

  test('with an unknown option is refused with what is known', async () => {
    const { code, message } = await failure(openLocks(`memory:?pasword=${canary}`))
    expect(code).toBe('INVALID_ARGUMENT')
    expect(message).toMatch(/^unknown option "pasword"; (there are none|known are).*ttl, are given in code$/)
  })
})

describe('an adapter that is given', () => {
  test('goes before the package of its scheme', async () => {
    const urls: string[] = []
    const given: Adapter = {
      schemes: ['redis', 'memory'],
      fromUrl: (url) => {
        urls.push(url)
        return memory()
      },
    }
    for (const url of ['redis://host?x=1', 'memory:own', 'REDIS://host']) await opened(url, { adapters: [given] })
    expect(urls).toEqual(['redis://host?x=1', 'memory:own', 'REDIS://host'])
  })

  test('for other schemes leaves the rest to the packages', async () => {
    await opened('memory:', { adapters: [adapterThat(() => expect.unreachable())] })
  })

  test('that is none is refused', async () => {
    for (const wrong of [memoryAdapter, 'redis', {}, null, [undefined], [{}], [memory()], [{ schemes: ['redis'] }]]) {
      const { code, message } = await failure(openLocks('redis://host', { adapters: wrong as unknown as Adapter[] }))
      expect(code).toBe('INVALID_ARGUMENT')
      expect(message).toContain('adapters must be a list of adapters')
    }
  })

  test('stands in for a package that is not installed, with options that reach the manager', async () => {
    const locks = await opened('etcd://host', { adapters: [{ ...memoryAdapter, schemes: ['etcd'] }], owner: 'me' })
    await locks.acquire('a')
    expect((await locks.query('a')).held[0]?.owner).toBe('me')
  })
})

describe('a package', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'locks-open-'))
  })

  afterEach(() => rm(folder, { recursive: true }))

  /** What an application in a folder of its own sees when it opens a URL. */
  async function inApplication(url: string, first = ''): Promise<string> {
    const core = new URL('../src/index.ts', import.meta.url).href
    const program = `
      import { openLocks, LockManager } from ${JSON.stringify(core)}
      ${first}
      const told = await openLocks(${JSON.stringify(url)}).then(
        async (locks) => { await locks.close(); return 'opened' },
        ({ name, code, message }) => [name, code, message].join(' '),
      )
      console.log(told)
    `
    const file = join(folder, 'program.mjs')
    await writeFile(file, program)
    // Found from the program, wherever that is started; and not by way of the path that pnpm gives the test runner.
    const env = { ...process.env, NODE_PATH: '' }
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: tmpdir(), env })
    return (stdout + stderr).trim()
  }

  async function install(name: string, source: string): Promise<void> {
    const into = join(folder, 'node_modules', name)
    await mkdir(into, { recursive: true })
    await writeFile(join(into, 'package.json'), JSON.stringify({ name, type: 'module', exports: './index.js' }))
    await writeFile(join(into, 'index.js'), source)
  }

  test('that is missing is named with the line that installs it', async () => {
    expect(await inApplication(`rediss://me:${canary}@host/0?password=${canary}`)).toBe(
      'LockError UNSUPPORTED "rediss:" needs packages that are not installed: npm install @locks/redis ioredis@6',
    )
    expect(await inApplication('zookeeper://host')).toMatch(/npm install @locks\/zookeeper node-zookeeper-client@1$/)
    expect(await inApplication('etcds://host')).toMatch(/npm install @locks\/etcd etcd3@1$/)
    expect(await inApplication('postgres://host')).toMatch(/npm install @locks\/postgres pg@8$/)
    expect(await inApplication('sqlite:a.db')).toMatch(/npm install @locks\/sqlite$/)
  })

  test('whose driver is missing is named with the line that installs both', async () => {
    await install('@locks/redis', `import 'ioredis'; export const adapter = { schemes: ['redis'], fromUrl() {} }`)
    expect(await inApplication('redis://host')).toBe(
      'LockError UNSUPPORTED "redis:" needs packages that are not installed: npm install @locks/redis ioredis@6',
    )
  })

  test('that fails by itself tells why', async () => {
    await install('@locks/redis', `throw new TypeError('of its own')`)
    expect(await inApplication('redis://host')).toMatch(/^TypeError {2}of its own$/)
  })

  test('is not looked for on a Node.js that is too old, which is named', async () => {
    const tooOld = `LockError UNSUPPORTED @locks needs Node.js 22.13 or newer; this is ${process.version}`
    expect(await inApplication('redis://host', 'delete Promise.withResolvers')).toBe(tooOld)
    const made = `
      delete Promise.withResolvers
      try { new LockManager({}) } catch ({ name, code, message }) { console.log([name, code, message].join(' ')) }
      process.exit()`
    expect(await inApplication('redis://host', made)).toBe(tooOld)
  })

  test('is found from the application', async () => {
    const memoryModule = new URL('../src/memory/index.ts', import.meta.url).href
    await install(
      '@locks/redis',
      `import { memory } from ${JSON.stringify(memoryModule)}
       export const adapter = { schemes: ['redis'], fromUrl: () => memory() }`,
    )
    expect(await inApplication('redis://host')).toBe('opened')
  })

  test('of another version, without an adapter, is named', async () => {
    await install('@locks/redis', 'export const something = 1')
    expect(await inApplication('redis://host')).toMatch(
      /INVALID_ARGUMENT the installed @locks\/redis exports no adapter/,
    )
  })
})

describe('memory:', () => {
  test('is one store for all managers of the thread, and another for every other name', async () => {
    const options = { namespace: 'open.test' }
    const [one, same, other, another] = await Promise.all(
      ['memory:', 'memory:', 'memory:other', 'memory:another'].map((url) => opened(url, options)),
    )
    await one!.acquire('a')
    expect(await same!.tryAcquire('a')).toBeNull()
    expect(await other!.tryAcquire('a')).not.toBeNull()
    expect(await another!.tryAcquire('a')).not.toBeNull()
    expect(await (await opened('memory:other', options)).tryAcquire('a')).toBeNull()
    expect(await (await opened('memory:', { namespace: 'open.test/2' })).tryAcquire('a')).not.toBeNull()
  })

  test('made in code is a store of its own', async () => {
    const [one, other] = [new LockManager(memory()), new LockManager(memory())]
    await one.acquire('a')
    expect(await other.tryAcquire('a')).not.toBeNull()
    await Promise.all([one.close(), other.close()])
  })
})

describe('a backend that does not answer', () => {
  const connectTimeout = 300

  async function timed(open: Backend['open'], options: OpenOptions = {}) {
    const started = performance.now()
    const error = await failure(
      openLocks(`test://me:${canary}@host`, { adapters: [adapterThat(open)], connectTimeout, ...options }),
    )
    return { error, took: performance.now() - started }
  }

  test('is UNAVAILABLE within the connect time-out when it hangs', async () => {
    const { error, took } = await timed(() => new Promise(() => {}))
    expect([error.code, error.temporary]).toEqual(['UNAVAILABLE', true])
    expect(error.message).toContain('"test"')
    expect(took).toBeGreaterThan(connectTimeout - 50)
    expect(took).toBeLessThan(connectTimeout + 2_000)
  })

  test('is tried again while its errors are temporary, and UNAVAILABLE with the last one in the end', async () => {
    let attempts = 0
    const { error, took } = await timed(() =>
      Promise.reject(new LockError('UNAVAILABLE', `no route, attempt ${++attempts}`)),
    )
    expect(error.code).toBe('UNAVAILABLE')
    expect(error.message).toContain(`no route, attempt ${attempts}`)
    expect(attempts).toBeGreaterThan(1)
    expect(took).toBeLessThan(connectTimeout + 2_000)
  })

  test('is there when an attempt succeeds before the time-out', async () => {
    let attempts = 0
    const backend = memory()
    const adapters = [
      adapterThat((options) => {
        if (++attempts < 3) return Promise.reject(new LockError('UNAVAILABLE', 'not yet'))
        return backend.open(options)
      }),
    ]
    const locks = await opened('test:', { adapters, connectTimeout: 10_000 })
    expect(await locks.tryAcquire('a')).not.toBeNull()
  })

  test('is given up at once when its error is not temporary, with that very error', async () => {
    const refusal = new LockError('UNSUPPORTED', 'this deployment cannot keep locks')
    const { error, took } = await timed(() => Promise.reject(refusal), { connectTimeout: 60_000 })
    expect(error).toBe(refusal)
    expect(took).toBeLessThan(5_000)
  })

  test('does not get a foreign error’s text into ours', async () => {
    const { error } = await timed(() => Promise.reject(new RangeError(`cannot reach test://me:${canary}@host`)))
    expect(error.temporary).toBe(false)
    expect(error.message).toContain('RangeError')
    expect(error.cause).toBeUndefined()
  })

  test('has its session closed when that comes too late', async () => {
    const late = Promise.withResolvers<Session>()
    let closed = 0
    await timed(() => late.promise)
    const session = await memory().open({
      namespace: 'x',
      clientId: 'x',
      owner: 'x',
      ttl: 1_000,
      clock: { now: () => ({ mono: 0, wall: 0 }), after: () => ({ cancel() {} }) },
      random: { id: () => 'x', unit: () => 0 },
      events: { granted() {}, lost() {} },
    })
    late.resolve(
      Object.assign(Object.create(session) as Session, {
        close: () => {
          closed++
          return session.close()
        },
      }),
    )
    await expect.poll(() => closed).toBe(1)
  })

  test('is not even asked when it promises less than is required, or an option is wrong', async () => {
    const adapters = [adapterThat(() => expect.unreachable())]
    const weak = await failure(openLocks('test:', { adapters, require: { scope: 'network', fencing: 'durable' } }))
    expect(weak.code).toBe('UNSUPPORTED')
    expect(weak.message).toMatch(/"test" does not promise scope "network" .*, fencing "durable"/)
    expect((await failure(openLocks('test:', { adapters, ttl: 1 }))).code).toBe('INVALID_ARGUMENT')
    for (const wrong of [null, 5, 'x']) {
      expect((await failure(openLocks('test:', wrong as unknown as OpenOptions))).code).toBe('INVALID_ARGUMENT')
    }
  })
})
