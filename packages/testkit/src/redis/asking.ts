import type { RedisServer } from './server.ts'

/** What those of the servers say that answer. */
export async function answers(servers: readonly RedisServer[], ...command: string[]): Promise<string[]> {
  const asked = await Promise.allSettled(servers.map((server) => server.cli(...command)))
  return asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
}

/** Whether the server is a replica that has all that its master has. */
export async function isReplicating(server: RedisServer): Promise<boolean> {
  return /^master_link_status:up\r?$/m.test(await server.cli('INFO', 'replication'))
}
