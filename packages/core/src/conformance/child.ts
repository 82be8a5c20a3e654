/** The program of a {@link RemoteProcess}. */
import { closeSync, openSync, unlinkSync } from 'node:fs'
import { LockError } from '../errors.ts'
import type { Lock } from '../lock.ts'
import type { LockManager } from '../manager.ts'
import { openLocks, type Adapter } from '../open.ts'
import type { Order, Orders, Reply, WireOptions } from './protocol.ts'

let locks: LockManager
const held: Lock[] = []

const answers: { [K in keyof Orders]: (...args: Parameters<Orders[K]>) => Promise<ReturnType<Orders[K]>> } = {
  async open({ url, adapter, ...options }) {
    const module = (await import(adapter)) as { adapter: Adapter }
    locks = await openLocks(url, { ...options, adapters: [module.adapter] })
  },
  acquire: async (name, options: WireOptions) => kept(await locks.acquire(name, options)),
  async tryAcquire(name, options: WireOptions) {
    const lock = await locks.tryAcquire(name, options)
    return lock && kept(lock)
  },
  campaign: async (name, value) => kept(await locks.election(name).campaign({ value })),
  held: async (lock) => at(lock).held,
  async assertHeld(lock) {
    try {
      at(lock).assertHeld()
      return null
    } catch (error) {
      const found = LockError.find(error)
      if (!found) throw error
      return { code: found.code, reason: found.reason ?? null }
    }
  },
  release: (lock) => at(lock).release(),
  async stall(lock, ms) {
    const end = performance.now() + ms
    while (performance.now() < end);
    return at(lock).held
  },
  async contend(name, file, times) {
    let met = 0
    for (let done = 0; done < times; done++) {
      await locks.request(name, async () => {
        try {
          closeSync(openSync(file, 'wx'))
        } catch {
          met++
          return
        }
        await new Promise((resolve) => setImmediate(resolve))
        unlinkSync(file)
      })
    }
    return met
  },
  close: () => locks.close(),
  async leave() {
    await locks.close()
    // The line to the parent is all that is left.
    process.channel?.unref()
  },
}

process.on('message', (order: Order) => void answer(order))
// Without its parent it has nothing left to do.
process.on('disconnect', () => process.exit())

async function answer({ id, verb, args }: Order): Promise<void> {
  const call = answers[verb] as (...args: readonly unknown[]) => Promise<unknown>
  const reply = await call(...args).then(
    (result): Reply => ({ id, result }),
    (error: unknown): Reply => ({
      id,
      error: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    }),
  )
  process.send?.(reply)
}

function kept(lock: Lock): { lock: number; token: string } {
  const token = locks.capabilities.fencing === 'none' ? '0' : String(lock.token)
  return { lock: held.push(lock) - 1, token }
}

function at(lock: number): Lock {
  const found = held[lock]
  if (!found) throw new RangeError(`no lock ${lock}`)
  return found
}
