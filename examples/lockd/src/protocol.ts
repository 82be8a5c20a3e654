import type { Socket } from 'node:net'
import type { Contender, Entry, Instant } from '@locks/core/backend'

/** What a client asks for. `sent` is its own clock: the server keeps it, and gives it back with what it proves. */
export interface Ask extends Contender {
  readonly id: string
  /** `namespace/name`, both as core has encoded them, which leaves no slash in either. */
  readonly key: string
  readonly wait: boolean
  readonly clientId: string
  readonly owner: string
  readonly ttl: number
  readonly sent: Instant
}

/** The server's word that it keeps an entry for a ttl from a moment that lies after `sent`. With a token: it holds. */
export interface Standing {
  readonly id: string
  readonly sent: Instant
  readonly ttl: number
  /** A decimal number: JSON has none that are large enough. */
  readonly token?: string | undefined
}

export type Listed = Omit<Entry, 'name' | 'token'> & { readonly key: string; readonly token?: string | undefined }

/** What can be asked of the server, with its answers. */
export interface Verbs {
  acquire(ask: Ask): Standing | null
  renew(claims: { ids: readonly string[]; sent: Instant }): readonly Standing[]
  remove(id: string): boolean
  /** Of one key, or of all that begin with `prefix`. */
  query(what: { key?: string | undefined; prefix: string }): readonly Listed[]
  /** Removes everything of this client. */
  leave(): void
  /** For administrators: removes whoever holds a key. */
  evict(key: string): void
}

export interface Call {
  readonly call: number
  readonly verb: keyof Verbs
  readonly given: unknown
}

export interface Answer {
  readonly call: number
  readonly answer?: unknown
  readonly error?: { readonly code: 'INVALID_ARGUMENT' | 'UNAVAILABLE'; readonly message: string }
}

/** Told by the server to whoever had to wait. */
export interface News {
  readonly granted: Standing
}

/** A line of JSON for each message, in both directions. A line that makes no sense ends the connection. */
export function speak(socket: Socket, hear: (message: unknown) => void): (message: unknown) => void {
  let begun = ''
  socket.setEncoding('utf8').setNoDelay(true)
  socket.on('data', (text: string) => {
    const lines = (begun + text).split('\n')
    begun = lines.pop() ?? ''
    try {
      for (const line of lines) hear(JSON.parse(line))
    } catch (error) {
      socket.destroy(error as Error)
    }
  })
  return (message) => void socket.write(`${JSON.stringify(message)}\n`)
}
