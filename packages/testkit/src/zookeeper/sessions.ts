import { once } from 'node:events'
import { connect } from 'node:net'

/** The first frame of a connection: who it is for. The server raises the time-out to its least. */
export function connectRequest(session: bigint, password: Buffer, timeout: number): Buffer {
  const frame = Buffer.alloc(33 + password.length)
  frame.writeInt32BE(frame.length - 4, 0)
  frame.writeInt32BE(timeout, 16)
  frame.writeBigInt64BE(BigInt.asIntN(64, session), 20)
  frame.writeInt32BE(password.length, 28)
  password.copy(frame, 32)
  return frame
}

/**
 * Ends a session as its own client could, by its id, and makes sure of it. The connection that it had is closed before, or
 * that one might never hear of it; its client may be so fast to make another that this one is closed instead.
 */
export async function endSession(port: number, session: bigint): Promise<void> {
  for (;;) {
    const answer = await join(port, session, closeRequest)
    if (answer && answer.readInt32BE(8) === 0) return
  }
}

/** Takes a session over to a connection of its own, and lets go of that. */
export async function joinSession(port: number, session: bigint): Promise<void> {
  await join(port, session)
}

/** Deletes a node, whoever has made it, in a session of its own. One that is not there, or has children, stays as it is. */
export async function deleteNode(port: number, path: string): Promise<void> {
  const name = Buffer.from(path)
  const request = Buffer.alloc(20 + name.length)
  request.writeInt32BE(request.length - 4, 0)
  request.writeInt32BE(1, 4) // the number of the request
  request.writeInt32BE(2, 8) // what it asks for
  request.writeInt32BE(name.length, 12)
  name.copy(request, 16)
  request.writeInt32BE(-1, 16 + name.length) // in whatever version
  await join(port, 0n, Buffer.concat([request, closeRequest]))
}

/** The answer to who joins, unless somebody else has joined since. */
async function join(port: number, session: bigint, request = Buffer.alloc(0)): Promise<Buffer | undefined> {
  const password = session === 0n ? Buffer.alloc(16) : passwordOf(session)
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {}) // 'close' tells the same
  socket.write(Buffer.concat([connectRequest(session, password, 60_000), request]))
  const answer = await new Promise<Buffer | undefined>((resolve) => {
    socket.once('data', resolve)
    socket.once('close', () => resolve(undefined))
  })
  // What it was asked for has been done when it closes the connection.
  if (request.length > 0 && !socket.destroyed) await once(socket.resume(), 'close')
  socket.destroy()
  return answer
}

/** A frame of 8 bytes: the number of the request, and what it asks for. */
const closeRequest = Buffer.from('0000000800000001fffffff5', 'hex')

/**
 * The password of a session, which a server makes of its id (`ZooKeeperServer.generatePasswd`): the first 16 bytes of
 * Java's generator with that as its seed.
 */
export function passwordOf(session: bigint): Buffer {
  const [multiplier, mask] = [0x5_deec_e66dn, (1n << 48n) - 1n]
  let state = (session ^ 0xb341_5c00n ^ multiplier) & mask
  const password = Buffer.alloc(16)
  for (let at = 0; at < password.length; at += 4) {
    state = (state * multiplier + 0xbn) & mask
    password.writeUInt32LE(Number(state >> 16n), at)
  }
  return password
}
