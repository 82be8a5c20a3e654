import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { onTestFinished } from 'vitest'

/** Calls of gRPC by Node's own HTTP/2, which is what the drivers write with too. */
export class Calls {
  readonly session: ClientHttp2Session
  /** Resolves once the connection is gone. */
  readonly closed: Promise<unknown>

  constructor(port: number | undefined) {
    this.session = connect(`http://127.0.0.1:${port}`)
    this.session.on('error', () => {})
    this.closed = new Promise((resolve) => this.session.once('close', resolve))
    onTestFinished(() => this.session.destroy())
  }

  /** A stream to which messages are written. */
  stream(path: string): ClientHttp2Stream {
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' }
    const stream = this.session.request(headers)
    stream.on('error', () => {})
    return stream
  }

  /** What a call with one message is answered by: the bytes of all messages. */
  async unary(path: string, message: Buffer): Promise<Buffer> {
    const stream = this.stream(path)
    stream.end(framed(message))
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }
}

/** A message as gRPC has it. */
export function framed(message: Buffer): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(message.length, 1)
  return Buffer.concat([header, message])
}

/** A field of a message of protobuf, of which it is the first to have bytes. */
const field = (number: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.of((number << 3) | 2, bytes.length), bytes])

export const put = (key: string): Buffer => Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from('value'))])
export const range = (key: string): Buffer => field(1, Buffer.from(key))
/** A request for notifications of a key. */
export const create = (key: string): Buffer => field(1, range(key))

export const paths = {
  put: '/etcdserverpb.KV/Put',
  range: '/etcdserverpb.KV/Range',
  watch: '/etcdserverpb.Watch/Watch',
} as const
