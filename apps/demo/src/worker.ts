/** One seller: a process that sells units of the shared stock, with a lock or without. */
import { subscribe } from 'node:diagnostics_channel'
import { existsSync } from 'node:fs'
import { setTimeout as think } from 'node:timers/promises'
import { LockError, openLocks, type Lock } from '@locks/core'
import { explain } from './explain.ts'
import type { Go, Locking, Report, Task } from './protocol.ts'
import { Stock } from './stock.ts'

const parent = process.ppid
const started = Promise.withResolvers<void>()

process.on('message', (message: Task | Go) => {
  if (message === 'go') started.resolve()
  else work(message).catch((error: unknown) => report({ is: 'failed', why: explain(error) }))
})

// Sent away by the main program, or left alone by it.
let guarded: number | undefined
process.on('disconnect', () => {
  if (guarded !== undefined) end(guarded)
  process.exit()
})

async function work(task: Task): Promise<void> {
  guarded = task.guards
  await (task.locking ? sellLocked(task, task.locking) : sellUnlocked(task))
  await report({ is: 'done' })
}

async function sellUnlocked(task: Task): Promise<void> {
  await ready()
  for (let n = 0; n < task.sales; n++) await sell(task)
}

async function sellLocked(task: Task, { url, ...options }: Locking): Promise<void> {
  subscribe('locks:queued', () => void report({ is: 'waiting' }))
  await using locks = await openLocks(url, { ...options, owner: task.seller })
  await ready()
  if (task.standsStillUntil !== undefined) {
    await locks.request('stock', (lock) => sellLate(task, lock)).catch(afterLoss)
  } else {
    for (let n = 0; n < task.sales; n++) await locks.request('stock', (lock) => sell(task, lock))
  }
}

/** The job: read, think, write. The lock goes along with both, for its token; what the stock does with that is the stock's affair. */
async function sell(task: Task, lock?: Lock): Promise<void> {
  const stock = new Stock(task.stock, task)
  const left = stock.read(lock)
  await report({ is: 'inside', token: lock?.token ?? 0n, left })
  await think(task.think)
  stock.write(left - 1, { unit: left, seller: task.seller }, lock)
  await report({ is: 'sold', unit: left })
}

/** The same job by a process that is stopped in the middle, and that does not ask afterwards whether it still may. */
async function sellLate(task: Task, lock: Lock): Promise<void> {
  const stock = new Stock(task.stock, task)
  const left = stock.read(lock)
  await report({ is: 'inside', token: lock.token, left })
  standStill(task.standsStillUntil as string)
  const { held } = lock // no timer, no event, no renewal has run since
  await report({ is: 'awake', held })
  try {
    stock.write(left - 1, { unit: left, seller: task.seller }, lock) // careless: without asking `held`
    await report({ is: 'sold', unit: left })
  } catch (error) {
    if (!LockError.is(error, 'LOST')) throw error
    await report({ is: 'refused', why: explain(error) })
  }
}

/** `request` rejects as soon as the lock is known to be lost; the callback has still to end. */
async function afterLoss(error: unknown): Promise<void> {
  if (!LockError.is(error, 'LOST')) throw error
  await LockError.find(error)?.callback
}

/** Blocks the thread, as a long computation does, so that nothing else runs before the line after it. */
function standStill(until: string): void {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  while (!existsSync(until)) {
    if (process.ppid !== parent) process.exit()
    Atomics.wait(cell, 0, 0, 5)
  }
}

async function ready(): Promise<void> {
  await report({ is: 'ready' })
  await started.promise
}

/** Settles when the report has left this process. */
function report(what: Report): Promise<void> {
  return new Promise((resolve) => process.send?.(what, undefined, undefined, () => resolve()))
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}
