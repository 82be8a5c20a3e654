import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { until } from '../../src/until.ts'

/** One end of a connection, and all that has come of it. */
export class Peer {
  readonly socket: Socket
  /** Resolves with how the connection ended: in order, or by which error. */
  readonly closed: Promise<string>
  hasEnded = false
  #received: Buffer[] = []

  constructor(socket: Socket) {
    this.socket = socket
    let how = 'in order'
    socket.on('data', (chunk) => this.#received.push(chunk))
    socket.on('end', () => (this.hasEnded = true))
    socket.on('error', ({ code }: NodeJS.ErrnoException) => (how = code ?? 'unknown'))
    this.closed = once(socket, 'close').then(
      () => how,
      () => how,
    )
  }

  get received(): string {
    this.#received = [Buffer.concat(this.#received)]
    return String(this.#received[0])
  }

  send(text: string): void {
    this.socket.write(text)
  }

  async has(text: string): Promise<void> {
    await until(`'${text}' has been received`, () => this.received === text)
  }
}

/** A client, once it is connected, or has been reset as soon as it was. */
export async function dial(port: number | undefined): Promise<Peer> {
  const socket = connect({ host: '127.0.0.1', port: port ?? 0, noDelay: true, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  const peer = new Peer(socket)
  await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), peer.closed])
  return peer
}

/** A server that keeps what it gets; `answer` is sent for every chunk. */
export class Host {
  readonly peers: Peer[] = []
  readonly #server: Server

  private constructor(answer?: (chunk: string) => string) {
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      this.peers.push(new Peer(socket))
      if (answer) socket.on('data', (chunk) => socket.write(answer(String(chunk))))
    })
  }

  static async listen(answer?: (chunk: string) => string, port = 0): Promise<Host> {
    const host = new Host(answer)
    await once(host.#server.listen(port, '127.0.0.1'), 'listening')
    onTestFinished(() => {
      host.#server.close()
      for (const { socket } of host.peers) socket.destroy()
    })
    return host
  }

  get upstream(): { host: string; port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port }
  }

  /** The nth client, once it has come. */
  peer(at = 0): Promise<Peer> {
    return until(`client ${at} has come`, () => this.peers[at])
  }
}

/** A request as a Redis client writes it. */
export function resp(...strings: string[]): string {
  return [`*${strings.length}`, ...strings.flatMap((text) => [`$${Buffer.byteLength(text)}`, text]), ''].join('\r\n')
}
