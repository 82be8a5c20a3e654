import { redis } from '@locks/redis'
import { startCluster, startRedis, startSentinel, type RedisOptions } from '@locks/testkit'
import { Cluster, Redis } from 'ioredis'
import type { Form } from './harness.ts'

/** The servers have only just been started, and nobody has held anything on them. */
const restartGrace = false

export interface User {
  readonly name: string
  readonly password: string
  /** The password of the server's default user, whom nobody can be taken for by mistake then. */
  readonly adminPassword: string
}

export async function standalone(options: RedisOptions = {}, user?: User): Promise<Form> {
  const server = await startRedis(options)
  const userinfo = user ? `${user.name}:${user.password}@` : ''
  const urlOf = (port: number) => `redis://${userinfo}127.0.0.1:${port}?restartGrace=${restartGrace}`
  const admin = new Redis(server.url, { ...(user && { password: user.adminPassword }) })
  return {
    backend: 'redis',
    url: urlOf(server.port),
    open: () => redis({ url: urlOf(server.port) }),
    ports: [server.port],
    openThrough: ([port]) => redis({ url: urlOf(port ?? 0) }),
    admin,
    async end() {
      admin.disconnect()
      await server.end()
    },
  }
}

export async function sentinel(): Promise<Form> {
  const deployment = await startSentinel()
  const { name, nodes, sentinels } = deployment
  const hosts = sentinels.map(({ port }) => ({ host: '127.0.0.1', port }))
  const url = `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join()}/${name}?restartGrace=${restartGrace}`
  const admin = new Redis({ sentinels: hosts, name })
  const ports = nodes.map(({ port }) => port)
  return {
    backend: 'redis-sentinel',
    url,
    open: () => redis({ url }),
    ports,
    openThrough: (others) => redis({ url, natMap: natMap(ports, others) }),
    admin,
    async end() {
      admin.disconnect()
      await deployment.end()
    },
  }
}

export async function cluster(): Promise<Form> {
  const deployment = await startCluster()
  const ports = deployment.nodes.map(({ port }) => port)
  const urlOf = (at: readonly number[]) =>
    `redis+cluster://${at.map((port) => `127.0.0.1:${port}`).join()}?restartGrace=${restartGrace}`
  const url = urlOf(ports)
  const admin = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })))
  return {
    backend: 'redis-cluster',
    url,
    open: () => redis({ url }),
    ports,
    openThrough: (others) => redis({ url: urlOf(others), natMap: natMap(ports, others) }),
    admin,
    async end() {
      admin.disconnect()
      await deployment.end()
    },
  }
}

function natMap(ports: readonly number[], others: readonly number[]) {
  return Object.fromEntries(
    ports.map((port, at) => [`127.0.0.1:${port}`, { host: '127.0.0.1', port: others[at] ?? 0 }]),
  )
}
