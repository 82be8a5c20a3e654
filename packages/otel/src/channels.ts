import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { LockEvents } from '@locks/core'
import { diag } from '@opentelemetry/api'

export type Handlers = { readonly [K in keyof LockEvents]?: (message: LockEvents[K]) => void }

const log = diag.createComponentLogger({ namespace: '@locks/otel' })

/**
 * Listens until the function that it returns is called. What a handler throws is logged by OpenTelemetry's own logger and
 * goes no further: a channel would make an uncaught exception of it, and end the process.
 */
export function listen(handlers: Handlers): () => void {
  const listeners = Object.entries(handlers).map(([name, handle]) => {
    const listener = (message: unknown) => guarded(() => (handle as (message: unknown) => void)(message))
    subscribe(name, listener)
    return { name, listener }
  })
  return () => {
    for (const { name, listener } of listeners) unsubscribe(name, listener)
  }
}

export function guarded(run: () => void): void {
  try {
    run()
  } catch (error) {
    log.error('an event of a lock was not recorded', error)
  }
}
