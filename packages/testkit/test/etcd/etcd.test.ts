import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { makeCertificates, startEtcd, type EtcdOptions, type EtcdServer } from '../../src/index.ts'
import { until } from '../../src/until.ts'

async function etcd(options?: EtcdOptions): Promise<EtcdServer> {
  const server = await startEtcd(options)
  onTestFinished(() => server.end())
  return server
}

const idIn = (granted: string): string => /lease (\w+) granted/.exec(granted)?.[1] ?? ''

test('keys and leases are counted at the server, and survive a restart', async () => {
  const server = await etcd()
  expect([await server.keys(), await server.leases()]).toEqual([[], []])
  const lease = idIn(await server.ctl('lease', 'grant', '60'))
  await server.ctl('put', '--lease', lease, 'a/b', 'c')
  await server.ctl('put', 'other', 'd')
  await server.restart()
  expect(await server.keys()).toEqual(['a/b', 'other'])
  expect(await server.keys('a/')).toEqual(['a/b'])
  expect(await server.leases()).toEqual([lease])
  await server.ctl('lease', 'revoke', lease)
  expect([await server.keys(), await server.leases()]).toEqual([['other'], []])
})

test('an error answer is thrown', async () => {
  await expect((await etcd()).ctl('lease', 'revoke', '1')).rejects.toThrow('requested lease not found')
})

test.for([
  [undefined, 2],
  [250, 1],
] as const)('with an election timeout of %s ms, the shortest lease is %s s', async ([electionTimeout, shortest]) => {
  const server = await etcd(electionTimeout === undefined ? {} : { electionTimeout })
  expect(await server.ctl('lease', 'grant', '1')).toContain(`TTL(${shortest}s)`)
})

test('users may do what they were given, and root everything', async () => {
  const permissions = [{ access: 'readwrite', prefix: 'app/' }] as const
  const server = await etcd({ users: [{ name: 'app', password: 'secret', permissions }] })
  const asApp = (...command: string[]) => server.ctl('--user=app:secret', ...command)
  expect(await asApp('put', 'app/a', 'b')).toBe('OK')
  await expect(asApp('put', 'other', 'b')).rejects.toThrow('permission denied')
  await expect(server.ctl('--user=app:wrong', 'get', 'app/a')).rejects.toThrow('authentication failed')
  expect(await server.ctl('put', 'other', 'b')).toBe('OK')
  expect(await server.keys()).toEqual(['app/a', 'other'])
})

test('TLS is all that a TLS server speaks, and its certificate is good for its addresses', async () => {
  const tls = await makeCertificates()
  const server = await etcd({ tls })
  expect(server.url).toBe(`etcds://127.0.0.1:${server.port}`)
  expect(await server.ctl('put', 'a', 'b')).toBe('OK')
  for (const host of ['127.0.0.1', 'localhost']) {
    const socket = connect({ host, port: server.port, ca: readFileSync(tls.ca) })
    onTestFinished(() => void socket.destroy())
    await once(socket, 'secureConnect')
    expect(socket.authorized).toBe(true)
  }
})

test("a server that wants clients' certificates lets nobody in without", async () => {
  const tls = await makeCertificates()
  const server = await etcd({ tls, clientCertificates: true })
  const without = connect({ port: server.port, host: '127.0.0.1', ca: readFileSync(tls.ca) })
  onTestFinished(() => void without.destroy())
  const [error] = (await once(without, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toContain('CERTIFICATE')
  expect(await server.ctl('put', 'a', 'b')).toBe('OK')
})

test('a server that is stopped answers when it goes on', async () => {
  const server = await etcd()
  await server.stop()
  let answered = false
  const asked = server.ctl('put', 'a', 'b').finally(() => (answered = true))
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(answered).toBe(false)
  await server.continue()
  expect(await asked).toBe('OK')
  await until('it answers', async () => (await server.keys()).length === 1)
})
