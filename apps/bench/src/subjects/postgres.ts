import type { Client, ClientConfig, PoolClient } from 'pg'
import { ours } from './ours.ts'
import { free } from './raw.ts'
import type { Place, Release, Subject } from './subject.ts'

/** More connections than any workload that is not for a crowd needs. */
export const connections = 150

async function connected({ url, together = false }: Place): Promise<Client> {
  const { default: pg } = await import('pg')
  // Statements that leave side by side share round trips.
  const client = new pg.Client({ connectionString: url, pipeline: together } as ClientConfig)
  await client.connect()
  return client
}

/** Prepared once a connection. */
async function ask(client: Client | PoolClient, verb: string, name: string): Promise<unknown> {
  const text = `SELECT ${verb}(hashtextextended($1, 0)) AS done`
  const { rows } = await client.query<{ done: unknown }>({ name: verb, text, values: [name] })
  return rows[0]?.done
}

const floor: Subject = {
  name: 'raw driver',
  kind: 'floor',
  settings:
    'pg, prepared: pg_try_advisory_lock and pg_advisory_unlock on one connection, with its pipeline where many leave at once; to tell another process: pg_notify, and a statement',
  cannot: {
    wait: 'a statement that waits blocks its connection',
    multitude:
      'the end of each statement walks over all locks that its connection has: 100,000 take a quarter of an hour',
    hold: 'holding costs nothing',
    crash: 'at once: its connection',
  },
  async open(place) {
    const client = await connected(place)
    const tryAcquire = async (name: string): Promise<Release | null> => {
      if ((await ask(client, 'pg_try_advisory_lock', name)) !== true) return null
      return async () => {
        if ((await ask(client, 'pg_advisory_unlock', name)) !== true) throw new Error('it is not there')
      }
    }
    let listener: Client | undefined
    return {
      tryAcquire,
      acquire: (name) => free(tryAcquire(name)),
      async relay() {
        listener = await connected(place)
        const heard = new Map<string, () => void>()
        listener.on('notification', ({ channel }) => void client.query('SELECT 1').then(heard.get(channel)))
        return {
          async listen(channel, hear) {
            heard.set(channel, hear)
            await listener?.query(`LISTEN "${channel}"`)
          },
          pass(channel) {
            const text = "SELECT pg_notify($1, '')"
            void client.query({ name: 'notify', text, values: [channel] })
          },
        }
      },
      async close() {
        await listener?.end()
        await client.end()
      },
    }
  },
}

const byHand: Subject = {
  name: 'pg_advisory_lock by hand',
  kind: 'peer',
  settings: `a connection of a pool for each lock and each waiter; pg_advisory_lock, prepared; at most ${connections} connections`,
  cannot: {
    crowd: `a connection for each waiter: more than the ${2 * connections} that the server has`,
    hold: 'a connection for each lock',
    permits: 'has no semaphores',
  },
  async open({ url }) {
    const { default: pg } = await import('pg')
    const pool = new pg.Pool({ connectionString: url, max: connections })
    pool.on('error', () => {})
    const locked = async (name: string, verb: string, unlock: string): Promise<Release | null> => {
      const client = await pool.connect()
      if ((await ask(client, verb, name)) === false) {
        client.release()
        return null
      }
      return async () => {
        await ask(client, unlock, name)
        client.release()
      }
    }
    const [exclusive, shared] = ['pg_advisory_unlock', 'pg_advisory_unlock_shared']
    return {
      acquire: async (name) => (await locked(name, 'pg_advisory_lock', exclusive)) as Release,
      tryAcquire: (name) => locked(name, 'pg_try_advisory_lock', exclusive),
      acquireShared: async (name) => (await locked(name, 'pg_advisory_lock_shared', shared)) as Release,
      async waiting() {
        const text = "SELECT count(*) AS count FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        const { rows } = await pool.query<{ count: string }>(text)
        return Number(rows[0]?.count)
      },
      close: () => pool.end(),
    }
  },
}

export const subjects: readonly Subject[] = [
  ...ours({
    settings: 'restartGrace false: the server has just been started',
    bundle: { packages: ['@locks/core', '@locks/postgres'], external: ['pg'] },
    query: '?restartGrace=false',
  }),
  floor,
  byHand,
]
