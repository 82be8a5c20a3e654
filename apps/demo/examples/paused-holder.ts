/**
 * The classical failure of a lock, and what helps: a holder is paused between its read and its write, for longer than the
 * lock's ttl. Another is granted the lock and writes; then the first one wakes up, in the middle of its critical section, and
 * writes what it had reckoned before. `npm run example:paused` shows it with and without a guard.
 *
 * (After M. Kleppmann, "How to do distributed locking", 2016.)
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { admit, LockManager, type Lock, type Seen } from '@locks/core'
import { sqlite } from '@locks/sqlite'

const ttl = 2_000

/** What the lock protects: a balance, and beside it what has been seen of tokens. */
class Account {
  readonly #db: DatabaseSync
  readonly #guarded: boolean

  constructor(path: string, guarded: boolean) {
    this.#guarded = guarded
    this.#db = new DatabaseSync(path)
    this.#db.exec(`CREATE TABLE IF NOT EXISTS account (balance INTEGER, newest INTEGER, exclusive INTEGER);
      INSERT INTO account SELECT 100, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM account)`)
  }

  /** The check of the token and the write are one step: here, one transaction of the account's own database. */
  step(lock: Lock, change: (balance: number) => number): number {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const row = this.#db.prepare('SELECT * FROM account').get() as {
        balance: number
        newest: number
        exclusive: number
      }
      const before: Seen = { newest: BigInt(row.newest), exclusive: BigInt(row.exclusive) }
      const seen = this.#guarded ? admit(lock, before) : before
      const balance = change(row.balance)
      this.#db
        .prepare('UPDATE account SET balance = ?, newest = ?, exclusive = ?')
        .run(balance, seen.newest, seen.exclusive)
      this.#db.exec('COMMIT')
      return balance
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  get balance(): number {
    return Number(this.#db.prepare('SELECT balance FROM account').get()?.['balance'])
  }
}

/** A process that takes something from the account, as carelessly as most: it does not ask `held` before it writes. */
async function take(who: string, amount: number, folder: string, guarded: boolean): Promise<void> {
  const locks = new LockManager(sqlite({ path: join(folder, 'locks.db') }), { ttl })
  const account = new Account(join(folder, 'account.db'), guarded)
  const lock = await locks.acquire('account')
  // The guard knows of this holder before it has read anything: from now on no earlier one can write.
  const balance = account.step(lock, (same) => same)
  console.log(`${who} has the lock with token ${lock.token}, and reads ${balance}`)
  // Here it is that the first one is paused: it goes on when somebody says so.
  await once(process.stdin, 'data')
  try {
    account.step(lock, () => balance - amount)
    console.log(`${who} writes ${balance - amount}`)
  } catch (error) {
    console.log(`${who} is refused: ${(error as Error).message}`)
  }
  process.stdin.destroy()
  await locks.close()
}

async function play(guarded: boolean): Promise<void> {
  console.log(`\n${guarded ? 'With' : 'Without'} a guard`)
  const folder = mkdtempSync(join(tmpdir(), 'locks-example-'))
  const start = (who: string, amount: number) =>
    spawn(process.execPath, [...process.execArgv, import.meta.filename, who, String(amount), folder, String(guarded)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
  const processes: ChildProcess[] = []
  try {
    const first = start('first', 10)
    processes.push(first)
    await said(first)
    first.kill('SIGSTOP')
    console.log('first is paused')
    const second = start('second', 30)
    processes.push(second)
    await said(second)
    second.stdin.write('go on\n')
    await once(second, 'close')
    console.log('first wakes up')
    first.stdin.write('go on\n')
    first.kill('SIGCONT')
    await once(first, 'close')
    const { balance } = new Account(join(folder, 'account.db'), guarded)
    console.log(
      `The balance is ${balance}: ${balance === 70 ? 'what was confirmed is there' : 'what second took is lost'}`,
    )
  } finally {
    for (const each of processes) each.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

/** Passes on what a process says, and settles with the first of it. */
async function said(child: ChildProcess): Promise<void> {
  const stdout = child.stdout as NonNullable<typeof child.stdout>
  stdout.pipe(process.stdout, { end: false })
  const ended = once(child, 'close').then(() => Promise.reject(new Error('a process has ended too soon')))
  await Promise.race([once(stdout, 'data'), ended])
  ended.catch(() => {})
}

const [who, amount, folder, guarded] = process.argv.slice(2)
if (who !== undefined && folder !== undefined) await take(who, Number(amount), folder, guarded === 'true')
else for (const each of [false, true]) await play(each)
