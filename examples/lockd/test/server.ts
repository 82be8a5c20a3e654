import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { speak } from '../src/protocol.ts'

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export interface LockdServer {
  readonly url: string
  readonly port: number
  readonly process: ChildProcess
  /** Asks what only administrators ask: removes whoever holds. */
  evict(key: string): Promise<void>
  end(): Promise<void>
}

/** The server in a process of its own, as in earnest: a client's stalled event loop must not stall it too. */
export async function startLockd({ port = 0, grace = 0 } = {}): Promise<LockdServer> {
  const flags = ['--conditions=@locks/source', program, '--port', String(port), '--grace', String(grace)]
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const listening = Number(new URL(line).port)
  return {
    url: line,
    port: listening,
    process: child,
    async evict(key) {
      const socket = connect(listening, '127.0.0.1')
      await new Promise((resolve, reject) => {
        socket.once('error', reject)
        speak(socket, resolve)({ call: 1, verb: 'evict', given: key })
      })
      socket.destroy()
    },
    async end() {
      const closed = once(child, 'close')
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await closed
    },
  }
}
