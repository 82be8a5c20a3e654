import { expect, test } from 'vitest'
import { framings } from '../../src/proxy/framing.ts'
import { resp } from './peers.ts'

const requests =
  resp('SET', 'a', 'x\r\n*1\r\n$4\r\nPING\r\n') + resp('GET', '') + resp('EVAL', 'subscribe', '0') + resp('é€')

test('requests are counted as they are completed, wherever the stream is cut', () => {
  const bytes = Buffer.from(requests)
  for (let size = 1; size <= bytes.length; size++) {
    const framing = framings.resp()
    let count = 0
    for (let at = 0; at < bytes.length - 1; at += size) {
      count += framing.read(bytes.subarray(at, Math.min(at + size, bytes.length - 1)))
    }
    expect(count).toBe(3)
    expect(framing.read(bytes.subarray(-1))).toBe(1)
    expect(framing.listens).toBe(false)
  }
})

test.for(['SUBSCRIBE', 'subscribe', 'pSubscribe', 'SSUBSCRIBE'])('%s asks for notifications', (command) => {
  const framing = framings.resp()
  framing.read(Buffer.from(resp('PING')))
  expect(framing.listens).toBe(false)
  for (const byte of Buffer.from(resp(command, 'a'))) framing.read(Buffer.of(byte))
  expect(framing.listens).toBe(true)
})

test('a stream that is not RESP is read in linear time and counts nothing', () => {
  const framing = framings.resp()
  const chunk = Buffer.alloc(64 * 1024, '*')
  let count = 0
  for (let at = 0; at < 2_000; at++) count += framing.read(chunk)
  expect(count).toBe(0)
})
