import { LockError, type ErrorCode } from '@locks/core'
import { shown } from '@locks/core/backend'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const error = new LockError('LOST', 'lost', { reason: 'gone' })

describe('LockError.find', () => {
  test('finds the error itself and the nearest one among the causes', () => {
    const outer = new LockError('UNAVAILABLE', 'outer', { cause: new Error('between', { cause: error }) })
    expect(LockError.find(error)).toBe(error)
    expect(LockError.find(new Error('x', { cause: error }))).toBe(error)
    expect(LockError.find(new TypeError('x', { cause: { cause: error } }))).toBe(error)
    expect(LockError.find(outer)).toBe(outer)
    expect(LockError.find(outer.cause)).toBe(error)
  })

  test('finds nothing in what is no error of ours', () => {
    for (const other of [undefined, null, 0, 'LOST', {}, new Error('LOST'), { code: 'LOST', name: 'LockError' }]) {
      expect(LockError.find(other)).toBeUndefined()
      expect(LockError.is(other)).toBe(false)
    }
  })

  test('ends also where the causes go in a circle', () => {
    const one: { cause?: unknown } = {}
    one.cause = { cause: one }
    expect(LockError.find(one)).toBeUndefined()
  })
})

describe('LockError.is', () => {
  test('asks for a code where one is given', () => {
    const wrapped = new Error('x', { cause: error })
    expect([LockError.is(wrapped), LockError.is(wrapped, 'LOST'), LockError.is(wrapped, 'TIMEOUT')]).toEqual([
      true,
      true,
      false,
    ])
  })
})

describe('an error of another copy of the package', () => {
  let folder: string
  let Other: typeof LockError

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'locks-errors-'))
    const copy = join(folder, 'errors.ts')
    await copyFile(fileURLToPath(new URL('../src/errors.ts', import.meta.url)), copy)
    const module = (await import(pathToFileURL(copy).href)) as { LockError: typeof LockError }
    Other = module.LockError
  })

  afterAll(() => rm(folder, { recursive: true }))

  test('is recognised, with its code and reason, although its class is another', () => {
    const others = new Other('LOST', 'lost', { reason: 'stolen' })
    expect(Other).not.toBe(LockError)
    expect(others).not.toBeInstanceOf(LockError)
    expect(LockError.is(others, 'LOST')).toBe(true)
    expect(LockError.find(new Error('x', { cause: others }))?.reason).toBe('stolen')
    expect(Other.is(error, 'LOST')).toBe(true)
  })
})

describe('a LockError', () => {
  test('is temporary where the same call may succeed later', () => {
    const codes: Record<ErrorCode, boolean> = {
      TIMEOUT: true,
      LOST: true,
      RELEASED: false,
      UNAVAILABLE: true,
      OUTCOME_UNKNOWN: true,
      UNSUPPORTED: false,
      INVALID_ARGUMENT: false,
      CLOSED: false,
    }
    for (const [code, temporary] of Object.entries(codes)) {
      expect(new LockError(code as ErrorCode, 'x').temporary).toBe(temporary)
    }
    expect(new LockError('UNAVAILABLE', 'x', { temporary: false }).temporary).toBe(false)
  })

  test('prints its name, message and code, and no marker', () => {
    const printed = inspect(error)
    expect(printed).toMatch(/^LockError: lost\n/)
    expect(printed).toContain("code: 'LOST'")
    expect(printed).not.toMatch(/Symbol|callback|cause/)
    expect(error).toBeInstanceOf(Error)
    expect(Object.keys(error).toSorted()).toEqual(['code', 'reason', 'temporary'])
  })
})

describe('shown', () => {
  test('quotes, escapes and cuts what stands in a message', () => {
    expect(shown('a"b\n\0')).toBe(String.raw`"a\"b\n\u0000"`)
    expect(shown('x'.repeat(1_000))).toHaveLength(80)
    expect(shown('\ud800')).toBe(String.raw`"\ud800"`)
    expect([undefined, null, 4n, Symbol('x'), [1], {}, () => {}].map(shown)).toEqual([
      'undefined',
      'null',
      '4',
      'Symbol(x)',
      'an array',
      'an object',
      'a function',
    ])
  })
})
