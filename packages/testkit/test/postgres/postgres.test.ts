import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { makeCertificates, startPostgres, type PostgresServer } from '../../src/index.ts'
import { programBeside } from '../../src/postgres/data.ts'
import { until } from '../../src/until.ts'
import { isAlive } from '../../src/keeper/tree.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ settings: { max_connections: '30' } })
})
afterAll(() => server.end())

/** A session that stays, with the statements that it is given. */
function session(): { run(statement: string): void } {
  const child = spawn(programBeside('psql'), [server.url, '-X', '-q'], { stdio: ['pipe', 'ignore', 'inherit'] })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill()
    await exited
    await until('the server has taken note', async () => (await server.sessions()) === 0)
  })
  return { run: (statement) => void child.stdin.write(`${statement};\n`) }
}

const lockedBy = "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"

test('a server answers, with the settings that it was given', async () => {
  expect(await server.psql('SHOW max_connections')).toBe('30')
  expect(await server.psql('SELECT 1, NULL, $$a$$ UNION ALL SELECT 2, 3, $$b$$')).toBe('1||a\n2|3|b')
  await expect(server.psql('SELECT nonsense')).rejects.toThrow('column "nonsense" does not exist')
})

test('advisory locks and sessions are counted', async () => {
  expect([await server.advisoryLocks(), await server.sessions()]).toEqual([0, 0])
  session().run('SELECT pg_advisory_lock(n) FROM generate_series(1, 7) n')
  await until('it has its locks', async () => (await server.advisoryLocks()) === 7)
  expect(await server.sessions()).toBe(1)
})

test('whoever is not the superuser needs a password', async () => {
  await server.psql(`CREATE ROLE app LOGIN PASSWORD 'a@b'`)
  await server.psql('CREATE DATABASE other OWNER app')
  const login = { user: 'app', password: 'a@b', database: 'other' }
  expect(await server.psql('SELECT current_user, current_database()', login)).toBe('app|other')
  await expect(server.psql('SELECT 1', { ...login, password: 'b' })).rejects.toThrow('password authentication failed')
  const { stdout } = await promisify(execFile)(programBeside('psql'), [
    server.urlOf(login),
    '-AtXc',
    'SELECT inet_server_port()',
  ])
  expect(stdout.trim()).toBe(String(server.port))
})

test('a stopped server stands still with all its processes, and a killed one ends with them', async () => {
  const own = session()
  own.run('SELECT pg_advisory_lock(1)')
  const backend = await until('it has its lock', async () => Number(await server.psql(lockedBy)) || undefined)
  await server.stop()
  expect(stateOf(backend)).toBe('T')
  let answered = false
  const answer = server.psql('SELECT 1').finally(() => (answered = true))
  // Another one is started and asked in the meantime.
  await elsewhere()
  expect(answered).toBe(false)
  await server.continue()
  expect(await answer).toBe('1')
  const { pid } = server
  await server.kill()
  expect([pid, backend].filter(isAlive)).toEqual([])
  await server.start()
  expect(await server.advisoryLocks()).toBe(0)
})

test('a restarted server has kept its data', async () => {
  await server.psql('CREATE TABLE kept (a int); INSERT INTO kept VALUES (5)')
  await server.restart()
  expect(await server.psql('SELECT a FROM kept')).toBe('5')
})

test('end leaves no process, no folder, no shared memory, also of a server that stands still', async () => {
  const other = await startPostgres()
  const segments = () => readFileSync('/proc/sysvipc/shm', 'utf8')
  expect(segments()).toMatch(new RegExp(` ${other.pid} `))
  await other.stop()
  const { pid, folder } = other
  await other.end()
  expect(segments()).not.toMatch(new RegExp(` ${pid} `))
  expect([isAlive(pid), existsSync(folder)]).toEqual([false, false])
})

test('a server with TLS is certified by the authority, and refuses TCP without', async () => {
  const tls = await makeCertificates()
  const secured = await startPostgres({ tls })
  onTestFinished(() => secured.end())
  const ask = (options: string) =>
    promisify(execFile)(programBeside('psql'), [
      `${secured.url}?${options}`,
      '-AtXc',
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    ])
  expect((await ask(`sslmode=verify-full&sslrootcert=${tls.ca}`)).stdout.trim()).toBe('t')
  await expect(ask('sslmode=disable')).rejects.toThrow('no encryption')
  expect(await secured.psql('SELECT 1')).toBe('1')
})

/** Starts, asks and ends another server. */
async function elsewhere(): Promise<void> {
  const other = await startPostgres()
  expect(await other.psql('SELECT 1')).toBe('1')
  await other.end()
}

/** As the kernel has it: `T` if it is stopped. */
function stateOf(pid: number): string | undefined {
  return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
}
