import { join } from 'node:path'
import { LockError } from '@locks/core/backend'
import { etcd } from '@locks/etcd'
import { describe, expect, test } from 'vitest'
import { settingsFromOptions, settingsFromUrl } from '../src/options.ts'

describe('a URL', () => {
  test('names members, in their order, with the port that etcd has', () => {
    const { location, prefix } = settingsFromUrl('etcd://a,b:1234,[::1]:99')
    expect(location.members).toEqual(['a:2379', 'b:1234', '[::1]:99'])
    expect([location.tls, location.username, prefix]).toEqual([false, undefined, 'locks'])
  })

  test('names a user and a password, percent-encoded', () => {
    const { location } = settingsFromUrl('etcds://us%40er:pass%3Fw%2Ford@host?prefix=team/locks')
    expect([location.username, location.password, location.tls]).toEqual(['us@er', 'pass?w/ord', true])
    expect(settingsFromUrl('etcd://host?prefix=team/locks').prefix).toBe('team/locks')
  })

  test.each([
    ['etcd://host/path', /must be empty/],
    ['etcd://user@host', /a user and a password, or neither/],
    ['etcd://host?prefix=a/', /end in no slash/],
    ['etcd://host?prefix=', /1 to 64 letters/],
    ['etcd://host?ttl=1', /unknown option "ttl"; known are prefix, ca, cert, key/],
    ['etcd://host?ca=x', /are for etcds:/],
    ['etcds://host?cert=x', /belong together/],
    ['etcd://us:pass?w@host', /a password \? is written %3F/],
    ['http://host', /known are etcd, etcds/],
  ])('%s is refused, and it is said what is allowed', (url, message) => {
    expect(refusal(() => settingsFromUrl(url)).message).toMatch(message)
  })

  test('names files, which must be there', () => {
    const here = import.meta.filename
    expect(settingsFromUrl(`etcds://host?ca=${here}`).location.ca?.toString()).toContain('which must be there')
    const missing = join(here, 'nothing')
    const error = refusal(() => settingsFromUrl(`etcds://host?ca=${missing}`))
    expect(error.message).toMatch(/the option ca cannot be read: ENOTDIR/)
  })
})

describe('options in code', () => {
  test('go with a URL, and before its own', () => {
    expect(settingsFromOptions({ url: 'etcd://host?prefix=a', prefix: 'b' }).prefix).toBe('b')
  })

  test.each([undefined, {}, { url: 'etcd://host', client: {} }, { url: 5 }])('%j are refused', (options) => {
    expect(refusal(() => etcd(options as never)).code).toBe('INVALID_ARGUMENT')
  })
})

function refusal(call: () => unknown): LockError {
  try {
    call()
  } catch (error) {
    const found = LockError.find(error)
    if (found) return found
  }
  throw new Error('it was not refused')
}
