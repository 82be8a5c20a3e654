import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startPgbouncer, startPostgres, startStandby, type PostgresServer } from '../../src/index.ts'
import { programBeside } from '../../src/postgres/data.ts'
import { until } from '../../src/until.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.end())

const ask = async (url: string, ...statements: string[]) => {
  const commands = statements.flatMap((statement) => ['-c', statement])
  return (await promisify(execFile)(programBeside('psql'), [url, '-AtXq', ...commands])).stdout.trim()
}

test('a standby follows its primary, answers reads, and can be promoted', async () => {
  await server.psql('CREATE TABLE followed (a int)')
  const standby = await startStandby(server)
  onTestFinished(() => standby.end())
  await server.psql('INSERT INTO followed VALUES (1)')
  await until('it has the row', async () => (await standby.psql('SELECT a FROM followed')) === '1')
  expect(await standby.psql('SELECT pg_is_in_recovery()')).toBe('t')
  await expect(standby.psql('INSERT INTO followed VALUES (2)')).rejects.toThrow('read-only transaction')
  await standby.promote()
  await standby.psql('INSERT INTO followed VALUES (2)')
  expect(await server.psql('SELECT count(*) FROM followed')).toBe('1')
  await standby.restart()
  expect(await standby.psql('SELECT count(*) FROM followed')).toBe('2')
})

test('a session of pgbouncer is one of the server, or shares one with others', async () => {
  const [sessions, transactions] = await Promise.all([
    startPgbouncer(server, { mode: 'session' }),
    startPgbouncer(server, { mode: 'transaction' }),
  ])
  onTestFinished(() => Promise.all([sessions.end(), transactions.end()]).then(() => {}))
  const lock = 'SELECT pg_try_advisory_lock(1)'
  expect(await ask(sessions.url, lock)).toBe('t')
  await until('it is free again', async () => (await server.advisoryLocks()) === 0)
  expect(await ask(transactions.url, lock)).toBe('t')
  // Its client has left.
  expect(await server.advisoryLocks()).toBe(1)
  expect(await ask(transactions.url, lock)).toBe('t')
})
