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

/** Has a session make a node that goes with it; settles once it is answered. */
export async function createEphemeral({ socket }: Opened, path: string): Promise<void> {
  const name = Buffer.from(path)
  const all = Buffer.from('000000010000001f00000005776f726c6400000006616e796f6e65', 'hex')
  const request = Buffer.alloc(20 + name.length + all.length + 4)
  request.writeInt32BE(request.length - 4, 0)
  request.writeInt32BE(1, 4)
  request.writeInt32BE(1, 8)
  request.writeInt32BE(name.length, 12)
  name.copy(request, 16)
  request.writeInt32BE(0, 16 + name.length) // no data
  all.copy(request, 20 + name.length)
  request.writeInt32BE(1, request.length - 4) // ephemeral
  socket.write(request)
  await once(socket, 'data')
}
