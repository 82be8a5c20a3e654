import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { digestOf, startZookeeper, type ZookeeperOptions, type ZookeeperServer } from '../../src/index.ts'
import { until } from '../../src/until.ts'
import { passwordOf } from '../../src/zookeeper/sessions.ts'
import { isRunning } from '../owned.ts'
import { createEphemeral, openSession } from './session.ts'

async function zookeeper(options?: ZookeeperOptions): Promise<ZookeeperServer> {
  const server = await startZookeeper(options)
  onTestFinished(() => server.end())
  return server
}

test('a server answers once it is started, and grants what its settings allow', async () => {
  const server = await zookeeper({ tickTime: 300, config: { maxSessionTimeout: '5000' } })
  expect(await server.ask('ruok')).toBe('imok')
  expect(await server.ask('srvr')).toMatch(/^Mode: standalone$/m)
  expect((await openSession(server.port, 1)).timeout).toBe(600)
  expect((await openSession(server.port, 60_000)).timeout).toBe(5_000)
  const { pid } = server
  await server.end()
  expect(isRunning(pid)).toBe(false)
})

test('sessions are counted, survive a restart, and can be ended from outside', async () => {
  const server = await zookeeper()
  const { nodes } = await server.counts()
  const first = await openSession(server.port, 60_000)
  const second = await openSession(server.port, 60_000)
  expect(first.password).toEqual(passwordOf(BigInt(first.session)))
  expect(await server.counts()).toEqual({ sessions: 2, nodes, ephemerals: 0, watches: 0 })
  await server.restart()
  expect(await server.counts()).toMatchObject({ sessions: 2 })
  await server.endSession(first.session)
  await until('it is gone', async () => (await server.counts()).sessions === 1)
  await server.endSession(second.session)
  await until('the other one is gone', async () => (await server.counts()).sessions === 0)
})

test('the connection of a session that is ended from outside is closed', async () => {
  const server = await zookeeper()
  const { socket, session } = await openSession(server.port, 60_000)
  const closed = once(socket, 'close')
  await server.endSession(session)
  await closed
})

test('a node of a session is found, and can be deleted from outside', async () => {
  const server = await zookeeper()
  const opened = await openSession(server.port, 60_000)
  await createEphemeral(opened, '/node')
  expect(await server.ephemerals()).toEqual(new Map([[opened.session, ['/node']]]))
  await server.deleteNode('/node')
  expect(await server.counts()).toMatchObject({ sessions: 1, ephemerals: 0 })
  // Nor does it mind that nothing is there.
  await server.deleteNode('/node')
})

test('a digest names a user as ACLs do', () => {
  // The example of ZooKeeper's own documentation of `superDigest`.
  expect(digestOf('super', 'test')).toBe('super:D/InIHSb7yEEbrWz8b9l71RjZJU=')
})
