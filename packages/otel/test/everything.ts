import { channel } from 'node:diagnostics_channel'
import { LockError, LockManager } from '@locks/core'
import { memory } from '@locks/core/memory'
import { instrumentLocks, withoutIds } from '@locks/otel'
import { ManualClock } from './manual-clock.ts'
import { Sdk } from './sdk.ts'

/** An SDK that has seen of everything that is measured at least one. */
export async function everything(): Promise<Sdk> {
  const sdk = new Sdk()
  using _telemetry = instrumentLocks({ meterProvider: sdk.meterProvider, name: withoutIds })
  const clock = new ManualClock()
  const locks = new LockManager(memory(), { clock, ttl: 10_000, handover: 'local' })

  const holder = await locks.acquire('order:1')
  const next = locks.acquire('order:1')
  const late = locks.acquire('order:1', { timeout: 100 }).catch(() => {})
  await clock.advance(5_000)
  await late
  await locks.tryAcquire('order:1')
  await holder.release()
  const lost = await next
  clock.stall(6_000)
  await clock.advance(1)
  clock.stall(10_000)
  await lost.release()
  await locks.close()

  // The memory backend's own session neither fails nor ends.
  const error = new LockError('UNAVAILABLE', 'the store is away')
  channel('locks:renewed').publish({ backend: 'memory', clientId: 'a', claims: 1, took: 20, error })
  channel('locks:session').publish({ backend: 'memory', clientId: 'a', state: 'ended', error })
  return sdk
}
