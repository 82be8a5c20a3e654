/** `node child.ts ROLE JSON`: what tests need another process for. It answers in lines of JSON. */
import { appendFileSync, closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { LockManager, LockError } from '@locks/core'
import { systemClock, systemRandom } from '@locks/core/backend'
import { sqlite } from '@locks/sqlite'

type Args = Record<string, string> & { ttl?: number; cycles?: number }

const say = (message: Record<string, unknown>) => console.log(JSON.stringify(message))
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const told = () => lines.next()
const now = () => performance.timeOrigin + performance.now()

const roles: Record<string, (args: Args) => Promise<void>> = {
  /** Opens a session and says how that went. */
  async open({ path = '' }) {
    try {
      const session = await sqlite({ path }).open({
        namespace: 'test',
        clientId: 'child',
        owner: 'child',
        ttl: 10_000,
        clock: systemClock,
        random: systemRandom,
        events: { granted: () => {}, lost: () => {} },
      })
      await session.close()
      say({ opened: true })
    } catch (error) {
      const found = LockError.find(error)
      say({ code: found?.code, temporary: found?.temporary, message: String(error) })
    }
  },

  /** Takes a lock and keeps it until it is killed. */
  async hold({ path = '', name = 'lock', ttl }) {
    const locks = new LockManager(sqlite({ path }), { ttl })
    const lock = await locks.acquire(name)
    say({ token: String(lock.token) })
    await told()
    await lock.release()
    say({ released: true })
    await locks.close()
  },

  /** Leads until it is told to resign. */
  async lead({ path = '', name = 'lock' }) {
    const locks = new LockManager(sqlite({ path }))
    const leadership = await locks.election(name).campaign()
    say({ leads: true })
    await told()
    await leadership.resign()
    say({ resigned: true })
    await locks.close()
  },

  /** Waits for a lock; says when it has it, what it warned of, and what it used. */
  async wait({ path = '', name = 'lock', ttl, exhaust }) {
    const warnings: string[] = []
    process.on('warning', (warning) => warnings.push(`${(warning as { code?: string }).code}: ${warning.message}`))
    const locks = new LockManager(sqlite({ path }), { ttl })
    await locks.connect()
    const files: number[] = []
    try {
      while (exhaust) files.push(openSync('/dev/null', 'r'))
    } catch (error) {
      say({ exhausted: (error as { code?: string }).code ?? '' })
    }
    const acquired = locks.acquire(name)
    const cpu = process.cpuUsage()
    const from = performance.now()
    say({ waiting: true })
    const lock = await acquired
    const at = now()
    const { user, system } = process.cpuUsage(cpu)
    for (const file of files) closeSync(file)
    say({ at, warnings, cpu: (user + system) / 1_000, wall: performance.now() - from, token: String(lock.token) })
    await lock.release()
    await locks.close()
  },

  /** Keeps a write transaction open. */
  async block({ path = '', ms }) {
    const { DatabaseSync } = await import('node:sqlite')
    const db = new DatabaseSync(path)
    db.exec('BEGIN IMMEDIATE')
    say({ blocking: true })
    if (ms === undefined) await told()
    else await new Promise((resolve) => setTimeout(resolve, Number(ms)))
    db.exec('COMMIT')
    db.close()
    say({ blocked: true })
  },

  /** Takes and gives back one lock again and again, and writes down when it had it. */
  async contend({ path = '', log = '', cycles = 0 }) {
    const locks = new LockManager(sqlite({ path }))
    say({ ready: true })
    await told()
    for (let i = 0; i < cycles; i++) {
      const lock = await locks.acquire('lock')
      appendFileSync(log, `+${process.pid} ${lock.token}\n`)
      if (i % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
      appendFileSync(log, `-${process.pid} ${lock.token}\n`)
      await lock.release()
    }
    await locks.close()
    say({ done: true })
  },

  /** Opens at the moment that it is told to. */
  async race({ path = '' }) {
    const locks = new LockManager(sqlite({ path }))
    say({ ready: true })
    await told()
    await locks.connect()
    const lock = await locks.acquire(`own-${process.pid}`)
    say({ token: String(lock.token) })
    await told()
    await locks.close()
    say({ done: true })
  },
}

const [role = '', args = '{}'] = process.argv.slice(2)
await roles[role]?.(JSON.parse(args) as Args)
process.stdin.destroy()
