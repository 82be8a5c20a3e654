import { freePort } from '../ports.ts'
import { until } from '../until.ts'
import { postgresFolder, run } from './data.ts'
import { PostgresServer } from './server.ts'

/** A hot standby: it follows its primary by streaming replication, and answers reads. */
export class PostgresStandby extends PostgresServer {
  /** Makes it a primary; resolves once it is one. */
  async promote(): Promise<void> {
    const done = await this.psql('SELECT pg_promote()')
    if (done !== 't') throw new Error('the standby was not promoted')
  }
}

/** Resolves once the standby has all that the primary had when it was asked for. */
export async function startStandby(primary: PostgresServer): Promise<PostgresStandby> {
  const folder = await postgresFolder()
  const source = ['-h', primary.host, '-p', String(primary.port), '-U', 'postgres', '-w']
  // `-R` writes down whom it follows.
  await run('pg_basebackup', [...source, '-D', 'data', '-R', '-X', 'stream', '-c', 'fast', '--no-sync'], folder)
  const standby = new PostgresStandby({ folder, port: await freePort(), settings: primary.settings })
  await standby.start()
  const position = await primary.psql('SELECT pg_current_wal_lsn()')
  await until(
    'the standby follows',
    async () => (await standby.psql(`SELECT pg_last_wal_replay_lsn() >= '${position}'`)) === 't',
  )
  return standby
}
