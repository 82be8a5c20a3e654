import { LockError } from '@locks/core'
import { adapter, postgres, type PostgresOptions } from '@locks/postgres'
import { Client, Pool } from 'pg'
import { expect, test } from 'vitest'
import { settingsFromOptions, settingsFromUrl } from '../src/options.ts'

test.for([
  [
    'postgres://h',
    { host: 'h', port: 5_432, user: undefined, password: undefined, database: undefined, sslmode: 'disable' },
  ],
  ['POSTGRESQL://h:1/', { host: 'h', port: 1, database: undefined }],
  ['postgres://u@[::1]:7000/d', { host: '::1', port: 7_000, user: 'u', database: 'd' }],
  ['postgres://u%3Aa:p%40%2F%3F%23%25:b@h/d%2Fe', { user: 'u:a', password: 'p@/?#%:b', database: 'd/e' }],
  ['postgres://%2Fvar%2Frun/d', { host: '/var/run', database: 'd' }],
  ['postgres://h?sslmode=require', { sslmode: 'require' }],
  ['postgres://h?sslmode=verify-full&sslrootcert=%2Fca.crt', { sslmode: 'verify-full', sslrootcert: '/ca.crt' }],
] as const)('%s', ([url, expected]) => {
  expect(settingsFromUrl(url).config).toMatchObject(expected)
})

test('options have the same names in a URL and in code', () => {
  const url = 'postgres://h/d'
  const inUrl = settingsFromUrl(`${url}?schema=mine&restartGrace=false&sslmode=verify-ca&sslcert=c&sslkey=k`)
  const options = { schema: 'mine', restartGrace: false, sslmode: 'verify-ca', sslcert: 'c', sslkey: 'k' } as const
  expect(settingsFromOptions({ url, ...options })).toEqual(inUrl)
  expect(inUrl).toMatchObject({ schema: 'mine', restartGrace: false })
  expect(settingsFromUrl(url)).toMatchObject({ schema: 'locks', restartGrace: true })
})

test.for([
  ['postgres:h', /must name a host after/],
  ['postgres://a,b', /names one host/],
  ['mysql://h', /known are postgres: postgresql:/],
  ['postgres://h?table=x', /unknown option "table"; known are schema, restartGrace, sslmode/],
  ['postgres://h?schema=Mine', /schema must be .*; got "Mine"/],
  ['postgres://h?schema=pg_x', /schema must be/],
  ['postgres://h?schema=a%22b', /schema must be/],
  ['postgres://h?sslmode=prefer', /sslmode must be one of "disable", "require", "verify-ca", "verify-full"/],
  ['postgres://h?sslrootcert=x', /need an sslmode/],
  ['postgres://h?sslmode=require&sslcert=x', /go together/],
  ['postgres://u:p?w@h', /in a password \? is written %3F/],
] as const)('%s is refused', ([url, why]) => {
  const error = thrown(() => adapter.fromUrl(url))
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
  expect(error.message).toMatch(why)
})

test.for([
  [{}, /either \{ url \} or \{ config \}/],
  [{ url: 'postgres://h', config: {} }, /either \{ url \} or \{ config \}/],
  [{ config: {}, sslmode: 'require' }, /sslmode is for a url/],
  [{ config: new Pool() }, /config must be the options of a pg.Client/],
  [{ config: new Client() }, /config must be the options of a pg.Client/],
  [{ pool: {} }, /unknown option "pool"; known are /],
] as const)('in code, %o is refused', ([options, why]) => {
  const error = thrown(() => postgres(options as PostgresOptions))
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
  expect(error.message).toMatch(why)
})

function thrown(call: () => unknown): LockError {
  try {
    call()
  } catch (error) {
    return LockError.find(error) as LockError
  }
  throw new Error('nothing was thrown')
}
