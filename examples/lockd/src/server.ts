import { createServer, type AddressInfo } from 'node:net'
import { LockError } from '@locks/core/backend'
import { speak, type Answer, type Call, type Verbs } from './protocol.ts'
import { Store } from './store.ts'

/** How late an expiry is noticed that nobody asks about, ms. */
const sweepEvery = 100

/** Serves a store on 127.0.0.1 until the process ends; settles with the port. See {@link Store} for `grace`. */
export function serve(port: number, grace: number): Promise<number> {
  const store = new Store(grace)
  setInterval(() => store.sweep(), sweepEvery)
  const server = createServer((socket) => {
    const verbs = store.verbs({ tell: (news) => tell(news) })
    const tell = speak(socket, (message) => tell(answerTo(message as Call, verbs)))
    // Its entries stay until they expire: it may only have lost its connection, and believe in its locks.
    socket.on('error', () => {})
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function answerTo({ call, verb, given }: Call, verbs: Verbs): Answer {
  try {
    return { call, answer: (verbs[verb] as (given: unknown) => unknown)(given) }
  } catch (error) {
    const code = LockError.is(error, 'UNAVAILABLE') ? 'UNAVAILABLE' : 'INVALID_ARGUMENT'
    return { call, error: { code, message: (error as Error).message } }
  }
}
