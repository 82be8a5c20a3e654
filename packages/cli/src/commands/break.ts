import { createInterface } from 'node:readline/promises'
import type { LockInfo, LockManager } from '@locks/core'
import type { Ending } from '../child/ending.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure, misuse } from '../failure.ts'
import { json, printable, visible } from '../output/escape.ts'
import { print } from '../output/tell.ts'
import { withStore, type StoreOptions } from '../store/connect.ts'

export interface BreakOptions extends StoreOptions {
  /** Whose lock it is, and which grant of it: as `locks inspect` shows them. */
  readonly holder: string
  readonly token: string
  readonly yes?: boolean | undefined
  readonly json?: boolean | undefined
}

/** Takes a lock from its holder and leaves it to the next waiter. */
export async function breakLock(name: string, options: BreakOptions): Promise<Ending> {
  const terminal = process.stdin.isTTY && process.stderr.isTTY
  if (!options.yes && !terminal)
    throw misuse('there is no terminal to ask on: --yes breaks the lock without a question')
  return withStore(options, async (locks) => {
    if (!locks.capabilities.steal) throw misuse('this store takes a lock from nobody: end the process that holds it')
    await checkHolder(locks, name, options)
    if (!options.yes && !(await confirmed(name, options))) return exitCodes.failed
    // Again, after however long the answer took. A steal cannot be made to depend on who is robbed.
    await checkHolder(locks, name, options)
    const lock = await locks.acquire(name, { steal: true })
    await lock.release()
    const broken = { name, owner: options.holder, token: options.token }
    print(options.json ? json({ broken }) : `${visible(name)} was taken from ${printable(options.holder)}`)
    return 0
  })
}

async function checkHolder(locks: LockManager, name: string, { holder, token }: BreakOptions): Promise<void> {
  const { held } = await locks.query(name)
  const [first, ...more] = held
  if (!first) throw conflict(`${visible(name)} is not held`)
  if (more.length > 0) {
    throw conflict(`${visible(name)} has ${held.length} holders, and all of them would lose it; that is refused`)
  }
  if (!isOwner(first, holder) || first.token === undefined || String(first.token) !== token) {
    throw conflict(`${visible(name)} is held by ${visible(first.owner)} with token ${first.token ?? '-'}`)
  }
}

/** As it is, or as it was shown. */
const isOwner = ({ owner }: LockInfo, given: string): boolean => given === owner || given === visible(owner)

async function confirmed(name: string, { holder, token }: BreakOptions): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // Ctrl-C and Ctrl-D are a no.
  const left = new Promise<string>((resolve) => terminal.once('close', () => resolve('no')))
  terminal.once('SIGINT', () => terminal.close())
  try {
    const what = `${visible(name)}, held by ${printable(holder)} with token ${printable(token)}`
    const question = `Break ${what}? What it works on is not protected any more. [y/N] `
    const answer = await Promise.race([terminal.question(question), left])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

const conflict = (message: string): Failure => new Failure('CONFLICT', exitCodes.conflict, message)
