import { connect } from 'node:net'
import { LockError, type Backend, type Capabilities, type SessionOptions } from '@locks/core/backend'
import { LockdSession } from './session.ts'

export const longestTtl = 60_000

/** What is not promised here is refused by core, and need not be thought of anywhere else. */
const capabilities: Capabilities = {
  scope: 'network',
  fencing: 'volatile', // a counter in memory, begun by the clock
  order: 'fifo',
  shared: true,
  semaphore: true,
  steal: false,
  sets: 'ordered',
  elections: false,
  listing: 'complete',
  reconnects: false, // a session is a connection
  ttl: { min: 1_000, max: longestTtl },
  takeover: 500,
}

export function backendAt(host: string, port: number): Backend {
  return {
    name: 'lockd',
    capabilities,
    open: (options) => open(host, port, options),
  }
}

function open(host: string, port: number, options: SessionOptions): Promise<LockdSession> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const silent = options.clock.after(options.ttl, () => socket.destroy(new Error('it does not answer')))
    socket.once('connect', () => {
      silent.cancel()
      socket.off('error', refuse)
      resolve(new LockdSession(socket, options))
    })
    socket.once('error', refuse)

    function refuse(error: Error): void {
      silent.cancel()
      const message = `no lockd at ${host}:${port} (${error.message}); start one with: node src/main.ts --port ${port}`
      reject(new LockError('UNAVAILABLE', message))
    }
  })
}
