import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startPostgres, startProxy, type PostgresServer, type Proxy, type ProxyLine } from '../../src/index.ts'
import { programBeside } from '../../src/postgres/data.ts'
import { framings } from '../../src/proxy/framing.ts'
import { until } from '../../src/until.ts'

/** As a client writes it: the type if it has one, the length, the rest. */
function frame(type: string, ...rest: (string | number)[]): Buffer {
  const body = Buffer.concat(
    rest.map((each) => {
      if (typeof each === 'string') return Buffer.from(`${each}\0`)
      const number = Buffer.alloc(4)
      number.writeUInt32BE(each)
      return number
    }),
  )
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(type), length, body])
}

const encryption = frame('', 80_877_103)
const start = frame('', 196_608, 'user', 'postgres', '')
const extended = (text: string) =>
  Buffer.concat([frame('P', 'name', text), frame('B', '', 'name', 0), frame('E', '', 0), frame('S')])

test('requests are counted as they are completed, wherever the stream is cut', () => {
  const requests = [frame('Q', 'SELECT 1'), extended('SELECT $1'), frame('p', 'secret'), extended('SELECT 2')]
  const bytes = Buffer.concat([encryption, start, ...requests])
  for (let size = 1; size <= bytes.length; size++) {
    const framing = framings.postgres()
    let count = 0
    for (let at = 0; at < bytes.length - 1; at += size) {
      count += framing.read(bytes.subarray(at, Math.min(at + size, bytes.length - 1)))
    }
    expect(count).toBe(2)
    expect(framing.read(bytes.subarray(-1))).toBe(1)
  }
})

test('answers are split, and put together are what they were', () => {
  const notification = frame('A', 7, 'channel', 'text')
  const answers = Buffer.concat([Buffer.from('N'), frame('S', 'a', 'b'), notification, frame('Z'), notification])
  for (let size = 1; size <= answers.length; size++) {
    const framing = framings.postgres()
    framing.read(encryption)
    framing.read(start)
    const pieces = Array.from({ length: Math.ceil(answers.length / size) }, (_, at) =>
      framing.split?.(answers.subarray(at * size, (at + 1) * size)),
    ).flatMap((each) => each ?? [])
    const joined = (notifies: boolean) =>
      Buffer.concat(pieces.filter((piece) => piece.notifies === notifies).map(({ bytes }) => bytes))
    expect(Buffer.concat(pieces.map(({ bytes }) => bytes))).toEqual(answers)
    expect(joined(true)).toEqual(Buffer.concat([notification, notification]))
  }
})

test('a stream that is encrypted is passed on whole, and counts nothing', () => {
  const framing = framings.postgres()
  framing.read(encryption)
  const record = Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0]), Buffer.alloc(512, 'Q')])
  expect(framing.read(record)).toBe(0)
  const answers = Buffer.concat([Buffer.from('S'), Buffer.from([0x16, 3, 3, 0, 122]), Buffer.alloc(122, 'A')])
  const pieces = framing.split?.(answers) ?? []
  expect(Buffer.concat(pieces.map(({ bytes }) => bytes))).toEqual(answers)
  expect(pieces.some(({ notifies }) => notifies)).toBe(false)
})

let proxy: Proxy
let server: PostgresServer
beforeAll(async () => {
  ;[proxy, server] = await Promise.all([startProxy(), startPostgres()])
})
afterAll(() => Promise.all([proxy.end(), server.end()]))

async function lineToPostgres(): Promise<ProxyLine> {
  const { host, port } = server
  const line = await proxy.line({ upstreams: [{ host, port }], framing: 'postgres' })
  onTestFinished(() => line.close())
  return line
}

interface Client {
  run(statement: string): void
  /** Waits until it has printed something. */
  prints(text: string): Promise<void>
  readonly printed: string
}

/** A `psql` that prints whatever it hears with the answer to its next statement. */
function client({ ports }: ProxyLine): Client {
  const url = `postgres://postgres@127.0.0.1:${ports[0]}/postgres`
  const child = spawn(programBeside('psql'), [url, '-X', '-A', '-t', '-q'])
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill()
    await exited
  })
  let printed = ''
  for (const output of [child.stdout, child.stderr]) output.on('data', (text) => (printed += String(text)))
  child.stdin.on('error', () => {})
  return {
    run: (statement) => void child.stdin.write(`${statement};\n`),
    async prints(text) {
      await until(`it prints ${text}`, () => printed.includes(text))
    },
    get printed() {
      return printed
    },
  }
}

test('the deaf hear nothing of what the server notifies, and get all other answers', async () => {
  const line = await lineToPostgres()
  const [listener, other] = [client(line), client(line)]
  other.run(`SELECT 'other'`)
  await other.prints('other')
  listener.run(`LISTEN channel; NOTIFY channel, 'first'; SELECT 'one'`)
  await listener.prints('first')
  const before = await line.wire.sent()
  await line.wire.deafen()
  await server.psql(`NOTIFY channel, 'second'`)
  listener.run(`SELECT 'two'`)
  await listener.prints('two')
  other.run(`SELECT 'still there'`)
  await other.prints('still there')
  expect((await line.wire.sent()) - before).toBe(2)
  await line.wire.heal()
  // Something of its connection was lost, and nothing of the other's.
  listener.run(`SELECT 'three'`)
  await listener.prints('connection')
  expect(listener.printed).not.toContain('second')
  other.run(`SELECT 'to the end'`)
  await other.prints('to the end')
})

test('of a statement without an answer, the server has heard', async () => {
  const line = await lineToPostgres()
  const writer = client(line)
  writer.run(`CREATE TABLE heard (a int); SELECT 'made'`)
  await writer.prints('made')
  await line.wire.dropAnswers()
  writer.run(`INSERT INTO heard VALUES (1); SELECT 'written'`)
  await until('it is applied', async () => (await server.psql('SELECT count(*) FROM heard')) === '1')
  await line.wire.heal()
  await writer.prints('connection')
  expect(writer.printed).not.toContain('written')
})
