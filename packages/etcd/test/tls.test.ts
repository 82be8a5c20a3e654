import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { LockError } from '@locks/core'
import { etcd } from '@locks/etcd'
import { makeCertificates, startEtcd, type Certificates, type EtcdServer } from '@locks/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleanup, open, settled } from './fixtures.ts'

let certificates: Certificates
let secured: EtcdServer
beforeAll(async () => {
  certificates = await makeCertificates()
  secured = await startEtcd({ tls: certificates, users: [{ name: 'app', password: 'right', permissions: all }] })
})
afterAll(() => secured.end())

const all = [{ access: 'readwrite', prefix: 'locks/' }] as const
const at = (host: string, port: number, query = '') => `etcds://app:right@${host}:${port}?${query}`

/** How a manager fares that takes a lock there, and one that waits for it. */
async function outcome(url: string): Promise<LockError | 'held'> {
  const { error } = await settled(
    open(etcd({ url }), { connectTimeout: 2_000 }).then(async (locks) => {
      const lock = await locks.acquire('name')
      const waiting = locks.acquire('name')
      await lock.release()
      await (await waiting).release()
      await locks.close()
    }),
  )
  if (error === undefined) return 'held'
  const found = LockError.find(error)
  if (!found) throw new Error('it failed otherwise', { cause: error })
  return found
}

test.for(['127.0.0.1', 'localhost'])('etcds: with an authority in a file: %s', async (host) => {
  expect(await outcome(at(host, secured.port, `ca=${encodeURIComponent(certificates.ca)}`))).toBe('held')
})

test('etcds: with an authority that Node.js is told of', async () => {
  const program = fileURLToPath(new URL('./holder.ts', import.meta.url))
  const args = ['--conditions=@locks/source', program, at('127.0.0.1', secured.port), 'name', '2000']
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificates.ca }
  const child = promisify(execFile)(process.execPath, args, { env, timeout: 20_000 })
  cleanup(() => child.child.kill('SIGKILL'))
  const said = new Promise<string>((resolve) => child.child.stdout?.once('data', (text) => resolve(String(text))))
  const ended = child.then(({ stderr }) => stderr)
  expect(JSON.parse(await Promise.race([said, ended]))).toMatchObject({ token: expect.any(String) as string })
  child.child.stdin?.end()
  child.child.kill()
  await ended.catch(() => {})
})

test('etcds: with an authority that nobody knows is refused for good, and says why', async () => {
  const error = await outcome(at('127.0.0.1', secured.port))
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  expect(String(error)).toMatch(/certificate/)
})

test("etcds: with a server that wants the client's certificate needs one", async () => {
  const server = await startEtcd({ tls: certificates, clientCertificates: true })
  cleanup(() => server.end())
  const { ca, cert, key } = certificates
  const [own, none] = [new URLSearchParams({ ca, cert, key }), new URLSearchParams({ ca })].map(String)
  expect(await outcome(`${server.url}?${own}`)).toBe('held')
  expect(await outcome(`${server.url}?${none}`)).toMatchObject({ code: 'UNAVAILABLE' })
})

test('with TLS to a server without, and without to one with, it fails in time', async () => {
  const plain = await startEtcd()
  cleanup(() => plain.end())
  for (const url of [`etcds://127.0.0.1:${plain.port}`, `etcd://127.0.0.1:${secured.port}`]) {
    const began = performance.now()
    expect(await outcome(url)).toMatchObject({ code: 'UNAVAILABLE' })
    expect(performance.now() - began).toBeLessThan(4_000)
  }
})
