import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { connectRequest } from '../../src/zookeeper/sessions.ts'

export interface Opened {
  readonly socket: Socket
  /** As the server's words have it. */
  readonly session: string
  readonly password: Buffer
  /** As granted, ms. */
  readonly timeout: number
}

/** A new session, and the connection that keeps it for as long as it is asked for something. */
export async function openSession(port: number, timeout: number): Promise<Opened> {
  const socket = connect({ host: '127.0.0.1', port })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  socket.write(connectRequest(0n, Buffer.alloc(16), timeout))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return {
    socket,
    timeout: answer.readInt32BE(8),
    session: `0x${answer.readBigUInt64BE(12).toString(16)}`,
    password: answer.subarray(24, 40),
  }
}
