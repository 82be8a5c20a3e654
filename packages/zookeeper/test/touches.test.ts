import { expect, test } from 'vitest'
import { Touches } from '../src/touches.ts'

const at = (ms: number) => ({ mono: ms, wall: 1_000_000 + ms })

test('the handshake counts until two writes are far enough apart', () => {
  const touches = new Touches(250, at(0))
  expect(touches.written(at(10))).toEqual(at(0))
  expect(touches.written(at(100))).toEqual(at(0))
  expect(touches.written(at(259))).toEqual(at(0))
  expect(touches.written(at(260))).toEqual(at(10))
})

test('no write counts by itself, however late it was carried out', () => {
  const touches = new Touches(250, at(0))
  expect(touches.written(at(90_000))).toEqual(at(0))
  expect(touches.written(at(90_249))).toEqual(at(0))
  expect(touches.written(at(90_250))).toEqual(at(90_000))
})

test('of many writes the newest counts that is far enough behind the last', () => {
  const touches = new Touches(250, at(0))
  const since = Array.from({ length: 10 }, (_, beat) => touches.written(at(1_000 + beat * 100)).mono)
  expect(since).toEqual([0, 0, 0, 1_000, 1_100, 1_200, 1_300, 1_400, 1_500, 1_600])
})
