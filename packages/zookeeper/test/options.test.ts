import { LockError } from '@locks/core'
import { expect, test } from 'vitest'
import { settingsFromOptions, settingsFromUrl } from '../src/options.ts'

const refusal = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    expect(LockError.is(error, 'INVALID_ARGUMENT')).toBe(true)
    return (error as Error).message
  }
  throw new Error('it was not refused')
}

test('hosts, ports, user, root and options of a URL', () => {
  const settings = settingsFromUrl('zookeeper://a%3Ab:p%40ss@h1,h2:2182,[::1]:2183/apps/locks?acl=open')
  expect(settings).toMatchObject({
    servers: [
      { host: 'h1', port: 2_181 },
      { host: 'h2', port: 2_182 },
      { host: '::1', port: 2_183 },
    ],
    credentials: { username: 'a:b', password: 'p@ss' },
    root: '/apps/locks',
    acl: [{ scheme: 'world', id: 'anyone' }],
  })
})

test('what is not said', () => {
  expect(settingsFromUrl('zookeeper://h')).toMatchObject({ root: '/locks', acl: [{ scheme: 'world' }] })
  expect(settingsFromUrl('zookeeper://u:p@h/')).toMatchObject({ root: '/locks', acl: [{ scheme: 'auth' }] })
  expect(settingsFromOptions({ url: 'zookeeper://u:p@h', acl: 'open' })).toMatchObject({ acl: [{ scheme: 'world' }] })
})

test.each(['/zookeeper', '/zookeeper/locks', '/a//b', '/a/', '/../a', '/a/.', '/a%2F..%2Fb', '/a%00', '/é'])(
  'the root %s is refused',
  (root) => {
    expect(refusal(() => settingsFromUrl(`zookeeper://h${root}`))).toMatch(/path of a ZooKeeper URL/)
  },
)

test('roots that only look like those that are refused', () => {
  expect(settingsFromUrl('zookeeper://h/zookeeper2').root).toBe('/zookeeper2')
  expect(settingsFromUrl('zookeeper://h/..a/b.').root).toBe('/..a/b.')
})

test('what is unknown or wrong says what is known', () => {
  expect(refusal(() => settingsFromUrl('zookeeper://h?tls=true'))).toMatch(/unknown option "tls"; known are acl/)
  expect(refusal(() => settingsFromUrl('zookeeper://h?acl=mine'))).toMatch(/"creator", "open"/)
  expect(refusal(() => settingsFromUrl('zookeeper://h?acl=creator'))).toMatch(/needs a user/)
  expect(refusal(() => settingsFromUrl('zookeepers://h'))).toMatch(/not a ZooKeeper URL/)
  expect(refusal(() => settingsFromUrl('zookeeper://user@h'))).toMatch(/both a user and a password/)
  expect(refusal(() => settingsFromOptions({}))).toMatch(/needs \{ url \}/)
  expect(refusal(() => settingsFromUrl('zookeeper://u:secret?x@h'))).not.toMatch(/secret/)
})
