import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LockError, type Bearer } from '@locks/core'
import { Stock } from '../src/stock.ts'

let temp: string
let folder: string

beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'stock-'))
  folder = join(temp, 'stock')
})

afterEach(() => rmSync(temp, { recursive: true }))

function made(fenced: boolean): Stock {
  const stock = new Stock(folder, { fenced })
  stock.create(100)
  return stock
}

const by = (token: bigint): Bearer => ({ token, mode: 'exclusive' })
const sale = (unit: number) => ({ unit, seller: 'test' })

test('a fenced stock refuses a write with a lower token than it has seen', () => {
  const stock = made(true)
  const early = stock.read(by(17n))
  // Another process, with the next grant: to read is enough.
  expect(new Stock(folder, { fenced: true }).read(by(19n))).toBe(100)
  const late = () => stock.write(early - 1, sale(early), by(17n))
  expect(late).toThrow(LockError)
  expect(late).toThrow('the token 17 is out of date: a newer holder has been here, with 19')
  expect(stock.audit()).toEqual({ sales: 0, taken: 0, soldTwice: 0 })
})

test('a fenced stock refuses to be read with a lower token, and to be used without one', () => {
  const stock = made(true)
  stock.read(by(19n))
  expect(() => stock.read(by(17n))).toThrow(LockError)
  expect(() => stock.read()).toThrow(LockError)
  expect(() => stock.write(99, sale(100))).toThrow(LockError)
})

test('a fenced stock takes any number of writes with one token, and compares tokens as numbers', () => {
  const stock = made(true)
  stock.read(by(9n))
  stock.write(99, sale(100), by(9n))
  stock.write(98, sale(99), by(9n))
  stock.write(97, sale(98), by(10n))
  const huge = 2n ** 62n
  stock.read(by(huge + 1n))
  expect(() => stock.write(96, sale(97), by(huge))).toThrow(LockError)
  expect(stock.audit()).toEqual({ sales: 3, taken: 3, soldTwice: 0 })
})

test('without a fence the last write wins, and the ledger shows what that did', () => {
  const stock = made(false)
  const late = stock.read(by(17n))
  for (const token of [19n, 20n]) {
    const left = stock.read(by(token))
    stock.write(left - 1, sale(left), by(token))
  }
  stock.write(late - 1, sale(late), by(17n))
  expect(stock.audit()).toEqual({ sales: 3, taken: 1, soldTwice: 1 })
})

test('the check of the token and the write are one step, whoever writes at the same time', async () => {
  made(true)
  const racers = 4
  const accepted = await Promise.all(
    Array.from({ length: racers }, async (_, first) => {
      const data = { folder, first: first + 1, step: racers, times: 250 }
      const [count] = (await once(
        new Worker(new URL('./racer.ts', import.meta.url), { workerData: data }),
        'message',
      )) as [number]
      return count
    }),
  )
  const states = readdirSync(folder)
    .map((name) => ({ at: Number.parseInt(name), ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as object) }))
    .sort((a, b) => a.at - b.at) as { at: number; seen: { newest: string }; sale?: { unit: number; seller: string } }[]
  // Every accepted write has a place of its own, ...
  expect(states.map(({ at }) => at)).toEqual(states.map((_, index) => index + 1))
  expect(states.length - 1).toBe(accepted.reduce((sum, count) => sum + count))
  // ... and was made with the highest token that had been seen there.
  for (const [index, { seen, sale: made }] of states.slice(1).entries()) {
    expect(BigInt(seen.newest)).toBeGreaterThanOrEqual(BigInt(states[index]?.seen.newest ?? 0))
    expect(Number(seen.newest)).toBe(Number(made?.seller) + Number(made?.unit) * racers)
  }
})
