import { readFileSync } from 'node:fs'
import { LockManager } from '@locks/core'
import { postgres, type PostgresOptions } from '@locks/postgres'
import { makeCertificates, startPostgres } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { cleanup, leftAt, nothing, settled } from './fixtures.ts'

const certificates = await makeCertificates()
const [secured, plain] = [await startPostgres({ tls: certificates }), await startPostgres()]
afterAll(() => Promise.all([secured.end(), plain.end()]))
const { port } = secured
const ca = certificates.ca

function managerOf(options: PostgresOptions): LockManager {
  const locks = new LockManager(postgres(options), { ttl: 2_000, connectTimeout: 3_000 })
  cleanup(() => locks.close())
  return locks
}

/** Takes a lock; whether all of the server's connections of ours are encrypted then. */
async function isEncrypted(locks: LockManager): Promise<boolean> {
  const lock = await locks.acquire('name')
  const ours = `FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE '@locks/%'`
  const answer = await secured.psql(`SELECT bool_and(ssl), count(*) ${ours}`)
  await lock.release()
  await locks.close()
  return answer === 't|2'
}

test.for([
  ['require', '127.0.0.1', ''],
  ['verify-ca', '127.0.0.1', `&sslrootcert=${ca}`],
  ['verify-full', '127.0.0.1', `&sslrootcert=${ca}`],
  ['verify-full', 'localhost', `&sslrootcert=${ca}`],
])('sslmode=%s at %s%s encrypts both connections', async ([mode, host, rest]) => {
  const url = `postgres://postgres@${host}:${port}/postgres?sslmode=${mode}${rest}`
  expect(await isEncrypted(managerOf({ url }))).toBe(true)
  expect(await leftAt(secured)).toEqual(nothing)
})

test("an application's own settings of TLS", async () => {
  const ssl = { ca: readFileSync(ca, 'utf8') }
  const config = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres', ssl }
  expect(await isEncrypted(managerOf({ config }))).toBe(true)
})

test.for(['verify-ca', 'verify-full'])(
  'sslmode=%s with an authority that nobody knows is refused for good',
  async (mode) => {
    const locks = managerOf({ url: `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=${mode}` })
    const { error } = await settled(locks.connect())
    expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
    expect(String(error)).toMatch(/certificate of the Postgres server is not trusted \(SELF_SIGNED_CERT_IN_CHAIN\)/)
  },
)

test('a name that the certificate does not have is refused by verify-full only', async () => {
  const named = await startPostgres({ tls: certificates, settings: { listen_addresses: '127.0.0.2' } })
  cleanup(() => named.end())
  const url = (mode: string) => `postgres://postgres@127.0.0.2:${named.port}/postgres?sslmode=${mode}&sslrootcert=${ca}`
  const { error } = await settled(managerOf({ url: url('verify-full') }).connect())
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  expect(String(error)).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID/)
  const locks = managerOf({ url: url('verify-ca') })
  expect((await locks.acquire('name')).held).toBe(true)
})

test('with TLS to a server without, and without to one with, it is refused for good, and says why', async () => {
  const [none, wanted] = [
    managerOf({ url: `${plain.url}?sslmode=require` }),
    managerOf({ url: `postgres://postgres@127.0.0.1:${port}/postgres` }),
  ]
  const answers = await Promise.all([none, wanted].map((locks) => settled(locks.connect())))
  for (const { error } of answers) expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  expect(String(answers[0]?.error)).toMatch(/has no TLS/)
  expect(String(answers[1]?.error)).toMatch(/does not let this user in/)
})

test('a file that is not there is said to be missing', async () => {
  const url = `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=verify-full&sslrootcert=/nowhere/ca.crt`
  const { error } = await settled(managerOf({ url }).connect())
  expect(error).toMatchObject({ temporary: false, message: expect.stringContaining('ENOENT') as string })
})
