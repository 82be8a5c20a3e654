import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LockError } from '@locks/core'
import { redis } from '@locks/redis'
import { makeCertificates, startRedis, type Certificates, type RedisServer } from '@locks/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { at, cleanup, open, rejection, request, server, take, until } from './support.ts'

let certificates: Certificates
let secured: RedisServer
beforeAll(async () => {
  certificates = await makeCertificates()
  secured = await startRedis({ tls: certificates, appendonly: true })
})
afterAll(() => secured.end())

/** What a process says that takes a lock there. */
async function elsewhere(url: string, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const file = fileURLToPath(new URL('./tls-child.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@locks/source', file, url], {
    env: { ...process.env, ...env },
  })
  return JSON.parse(stdout)
}

test.for(['127.0.0.1', 'localhost'])('rediss: with an authority that Node.js is told of: %s', async (host) => {
  const env = { NODE_EXTRA_CA_CERTS: certificates.ca }
  expect(await elsewhere(`rediss://${host}:${secured.port}`, env)).toEqual({ held: true })
  expect(await elsewhere(`redis://${host}:${secured.port}?tls=true`, env)).toEqual({ held: true })
})

test('rediss: with an authority that nobody knows is refused for good, and says why', async () => {
  const error = await rejection(open(at(secured.url)))
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  expect(error.message).toMatch(/certificate of the Redis server is not trusted \(SELF_SIGNED_CERT_IN_CHAIN\)/)
})

test('rediss: with a certificate that the server has made itself is refused for good', async () => {
  const { ca, key } = certificates
  const cert = join(dirname(key), 'own.crt')
  const subject = ['-subj', '/CN=own', '-addext', 'subjectAltName=IP:127.0.0.1']
  await promisify(execFile)('openssl', ['req', '-x509', '-days', '2', '-key', key, ...subject, '-out', cert])
  const { url } = await server({ tls: { ca, cert, key } })
  const error = await rejection(open(at(url)))
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  expect(error.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT')
})

test("rediss: with a server that wants the client's certificate needs a client that has one", async () => {
  const { url, port } = await server({ tls: certificates, config: { 'tls-auth-clients': 'yes' } })
  const { ca, cert, key } = certificates
  const options = {
    host: '127.0.0.1',
    port,
    tls: { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) },
  }
  const client = new Redis(options)
  cleanup(() => client.disconnect())
  const { session } = await open(redis({ client, restartGrace: false }))
  await take(session, request('a'))
  const answer = await elsewhere(url, { NODE_EXTRA_CA_CERTS: ca })
  expect(answer).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  expect(answer).toMatchObject({ message: expect.stringContaining("wants a certificate of the client's") as string })
})

test('a client for which the certificate has another name fails, and takes nothing else down', async () => {
  const ca = readFileSync(certificates.ca)
  const options = { host: '127.0.0.1', port: secured.port, tls: { ca, servername: 'another.example' } }
  for (let i = 0; i < 40; i++) {
    const client = new Redis({ ...options, retryStrategy: null })
    client.on('error', () => {})
    expect(await rejection(open(redis({ client })))).toBeInstanceOf(LockError)
    client.disconnect()
  }
})

test("an application's own client, with its own authority", async () => {
  const client = new Redis({ host: '127.0.0.1', port: secured.port, tls: { ca: readFileSync(certificates.ca) } })
  cleanup(() => client.disconnect())
  const [one, two] = [await open(redis({ client })), await open(redis({ client }))]
  const claim = request('own')
  await take(one.session, claim)
  expect(await two.session.acquire(request('own'))).toBe('queued')
  await one.session.remove(claim)
  // The connection that hears of it has the same settings.
  await until(() => two.granted.length === 1)
})

test('with TLS to a server without, and without to one with, it fails in time', async () => {
  const { port } = await server()
  for (const url of [`rediss://127.0.0.1:${port}`, `redis://127.0.0.1:${secured.port}`]) {
    const error = await rejection(open(at(url), { ttl: 1_000 }))
    expect(error).toMatchObject({ temporary: true })
  }
})
