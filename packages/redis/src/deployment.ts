import { LockError, unsupported } from '@locks/core/backend'
import type { Redis } from 'ioredis'
import { failureOf, refused } from './failures.ts'
import type { Keys } from './keys.ts'
import { script } from './scripts.ts'
import { fieldOf, type Server } from './server.ts'

const oldest = [6, 2] as const

const hesitation =
  'it was started less than a ttl ago, and grants nothing until it has been up for one (restartGrace=false does without, in development)'

export interface Inspected {
  readonly server: Server
  readonly keys: Keys
  readonly clientId: string
  /** For what the user should know, and is no reason to refuse. */
  readonly notice: (code: string, message: string) => void
}

/** Looks at the servers before anybody relies on them: refuses what cannot keep a lock, warns of what may lose it. */
export async function inspect({ server, keys, clientId, notice }: Inspected): Promise<void> {
  const permitted = tryPermissions(server, keys, clientId)
  // What the server says of itself explains more than what it refuses.
  permitted.catch(() => {})
  const infos = await askAll(server)
  for (const info of infos) {
    refuseOld(info)
    refuseEvicting(info)
    refuseOtherForm(info, server)
  }
  await permitted
  // Who does not know the scripts has been started lately: see `Server`.
  const fresh = infos.some((info) => server.mayForget(info))
  if (!fresh) await server.load()
  if (infos.some((info) => fieldOf(info, 'aof_enabled') !== '1')) {
    notice(
      'REDIS_NOT_PERSISTENT',
      'the Redis server keeps no append-only file: when it restarts it has forgotten all locks, while their holders' +
        ' believe in them for up to a ttl; set "appendonly yes" (tokens go on rising either way)' +
        (fresh ? `; ${hesitation}` : ''),
    )
  }
}

/** What every server says of itself that answers: of a cluster, one that does not takes only its own locks down. */
async function askAll(server: Server): Promise<string[]> {
  const outcomes = await Promise.allSettled(server.nodes().map((node) => server.call(() => node.info())))
  const infos = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed && (infos.length === 0 || !isTemporary(failed.reason))) throw failed.reason
  return infos
}

function refuseOld(info: string): void {
  const version = fieldOf(info, 'redis_version') ?? 'of no known version'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return
  throw unsupported(`the Redis server is ${version}; ${oldest.join('.')} or newer is needed`)
}

function refuseEvicting(info: string): void {
  const policy = fieldOf(info, 'maxmemory_policy')
  if (policy === undefined || policy === 'noeviction') return
  throw unsupported(
    `the Redis server may evict locks when its memory is full (maxmemory-policy ${policy});` +
      ' set maxmemory-policy to noeviction, or use a server that is no cache',
  )
}

function refuseOtherForm(info: string, server: Server): void {
  const mode = fieldOf(info, 'redis_mode')
  if (mode === 'sentinel') throw unsupported('this is a sentinel, not a Redis server; use redis+sentinel:')
  if (mode === 'cluster' && server.oneSlot) {
    throw unsupported('the Redis server is part of a cluster; use redis+cluster:, or a Cluster as the client')
  }
}

/** What the scripts do, tried on a key of no name; answers with the first thing that may not be done. */
const trial = script(`
local tries = {
  { 'TIME' }, { 'HSET', KEYS[1], 'f', 1 }, { 'PEXPIRE', KEYS[1], 1000 }, { 'PTTL', KEYS[1] }, { 'HGET', KEYS[1], 'f' },
  { 'HMGET', KEYS[1], 'f' }, { 'HGETALL', KEYS[1] }, { 'HDEL', KEYS[1], 'f' }, { 'PUBLISH', ARGV[1], '' }, { 'INFO' },
}
for _, command in ipairs(tries) do
  local answer = redis.pcall(unpack(command))
  if type(answer) == 'table' and answer.err then return { command[1], answer.err } end
end
return {}
`)

/** From Redis 7 on, and before. */
const forbids = /no permissions|ACL failure|user executing the script/i

async function tryPermissions(server: Server, keys: Keys, clientId: string): Promise<void> {
  const { reply } = await server.run(trial, [keys.probe], [keys.channels + clientId], 0).catch((error: unknown) => {
    // Of a cluster, the one server that has the key may be down.
    if (server.oneSlot || !isTemporary(error)) throw error
    return { reply: [] }
  })
  // Of nobody, so that it does not wait.
  if (server.acknowledges) await server.call(() => (server.client as Redis).wait(0, 0))
  const [command, why] = reply as readonly string[]
  if (command === undefined) return
  if (!forbids.test(String(why))) throw failureOf({ name: 'ReplyError', message: why })
  const where = command === 'PUBLISH' ? `to channels like ${keys.channels}*` : `with keys like ${keys.pattern}`
  throw refused(`the Redis user may not use ${command} ${where}`)
}

const isTemporary = (error: unknown): boolean => LockError.find(error)?.temporary === true
