import { LockError } from '@locks/core'
import { adapter, redis, type RedisOptions } from '@locks/redis'
import { Cluster, Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { settingsFromOptions, settingsFromUrl, type Location } from '../src/options.ts'
import { cleanup } from './support.ts'

const locationOf = (url: string): Location => settingsFromUrl(url).target as Location
const local = { host: 'h', port: 6_379 }

/** A client that connects to nothing. */
function idle(options = {}): Redis {
  const client = new Redis({ lazyConnect: true, ...options })
  cleanup(() => client.disconnect())
  return client
}

test.for([
  ['redis://h', { form: 'standalone', hosts: [local], db: 0, tls: false, username: undefined, password: undefined }],
  ['REDIS://h:1/', { form: 'standalone', hosts: [{ host: 'h', port: 1 }], db: 0 }],
  ['redis://h/7', { form: 'standalone', hosts: [local], db: 7 }],
  ['redis://[::1]:7000/1', { hosts: [{ host: '::1', port: 7_000 }], db: 1 }],
  ['redis://:p@h', { username: undefined, password: 'p', hosts: [local] }],
  ['redis://u@h', { username: 'u', password: undefined }],
  ['redis://u%3Aa:p%40%2F%3F%23%25:b@h', { username: 'u:a', password: 'p@/?#%:b', hosts: [local] }],
  ['rediss://h', { form: 'standalone', tls: true }],
  ['redis://h?tls=true', { form: 'standalone', tls: true }],
  [
    'redis+sentinel://a,b:1,[::2]:3/main',
    {
      form: 'sentinel',
      hosts: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 1 },
        { host: '::2', port: 3 },
      ],
      master: 'main',
      db: 0,
      tls: false,
    },
  ],
  ['redis+sentinel://a/my%20master/5?tls=true', { master: 'my master', db: 5, tls: true }],
  [
    'redis+sentinel://u:p@a/m?sentinelUsername=s&sentinelPassword=q%26r',
    { username: 'u', password: 'p', sentinelUsername: 's', sentinelPassword: 'q&r' },
  ],
  [
    'redis+cluster://u:p@a,b:7',
    {
      form: 'cluster',
      hosts: [
        { host: 'a', port: 6_379 },
        { host: 'b', port: 7 },
      ],
      username: 'u',
      password: 'p',
      db: 0,
    },
  ],
  ['redis+cluster://a/?tls=true', { form: 'cluster', tls: true }],
] as const)('%s', ([url, location]) => {
  expect(locationOf(url)).toMatchObject(location)
})

const defaults = {
  prefix: 'locks',
  acknowledge: 0,
  acknowledgeTimeout: 250,
  remember: 86_400_000,
  restartGrace: true,
}

test('what is not said has its default', () => {
  expect(settingsFromUrl('redis://h')).toMatchObject(defaults)
  expect(settingsFromOptions({ client: idle() })).toMatchObject(defaults)
})

test('options mean the same in a URL and in code', () => {
  const query = 'prefix=app:1&acknowledge=2&acknowledgeTimeout=250&remember=5000&restartGrace=false'
  const options = { prefix: 'app:1', acknowledge: 2, acknowledgeTimeout: 250, remember: 5_000, restartGrace: false }
  expect(settingsFromUrl(`redis://h?${query}`)).toMatchObject(options)
  expect(settingsFromOptions({ url: 'redis://h', ...options })).toEqual(settingsFromUrl(`redis://h?${query}`))
  expect(settingsFromOptions({ client: idle(), ...options })).toMatchObject(options)
})

test('what code says goes before the URL, and undefined says nothing', () => {
  expect(settingsFromOptions({ url: 'redis://h?prefix=a&acknowledge=1', prefix: 'b', acknowledge: undefined })).toEqual(
    settingsFromUrl('redis://h?prefix=b&acknowledge=1'),
  )
})

test('a map of addresses is for code', () => {
  const natMap = { '10.0.0.1:6379': { host: '127.0.0.1', port: 7 } }
  expect(settingsFromOptions({ url: 'redis+cluster://h', natMap }).target).toMatchObject({ natMap })
  expect(() => adapter.fromUrl('redis+cluster://h?natMap=a')).toThrow(/unknown option "natMap"/)
})

const knownInUrl =
  'prefix, acknowledge, acknowledgeTimeout, remember, restartGrace, tls, sentinelUsername, sentinelPassword'

test.for([
  ['redis://h?ttl=5', `unknown option "ttl"; known are ${knownInUrl}`],
  ['redis://h?url=redis://h', 'unknown option "url"'],
  ['redis://h?prefix=a&prefix=b', 'option "prefix" stands twice'],
  ['redis://h?prefix=', 'prefix must be 1 to 64 letters, digits, colons, dots, dashes or underscores; got ""'],
  ['redis://h?prefix=a{b}', 'prefix must be 1 to 64'],
  ['redis://h?prefix=a*', 'prefix must be 1 to 64'],
  [`redis://h?prefix=${'a'.repeat(65)}`, 'prefix must be 1 to 64'],
  ['redis://h?acknowledge=-1', 'acknowledge must be a whole number from 0 to 100; got -1'],
  ['redis://h?acknowledge=1.5', 'acknowledge must be a whole number'],
  ['redis://h?acknowledge=', 'acknowledge must be a whole number from 0 to 100; got ""'],
  ['redis://h?acknowledgeTimeout=0', 'acknowledgeTimeout must be a number of milliseconds from 1 to 60000'],
  ['redis://h?remember=999', 'remember must be a number of milliseconds from 1000 to 2592000000; got 999'],
  ['redis://h?remember=a', 'remember must be a number of milliseconds'],
  ['redis://h?restartGrace=yes', 'restartGrace must be true or false; got "yes"'],
  ['redis://h?tls=1', 'tls must be true or false; got "1"'],
  ['rediss://h?tls=false', 'rediss: means TLS'],
  ['redis://a,b', 'redis: names one host; for several there are redis+sentinel: and redis+cluster:'],
  ['rediss://a,b', 'rediss: names one host'],
  ['redis+sentinel://a,b', 'redis+sentinel: names the master after the hosts'],
  ['redis+sentinel://a//1', 'redis+sentinel: names the master after the hosts'],
  ['redis+sentinel://a/m/x', 'must be the number of a database'],
  ['redis+sentinel://a/m/1/2', 'must be the number of a database'],
  ['redis+cluster://a/0', 'redis+cluster: has no databases'],
  ['redis://a/x', 'must be the number of a database'],
  ['redis://a/1/2', 'must be the number of a database'],
  ['redis://a/-1', 'must be the number of a database'],
  ['redis://a?sentinelPassword=x', 'are for redis+sentinel:'],
  ['redis+cluster://a?sentinelUsername=x', 'are for redis+sentinel:'],
  ['redis:h', 'must name a host'],
  ['redis://', 'must name a host'],
  ['redis://u:p@', 'must name a host'],
  ['redis://h:0', 'a port from 1 to 65535'],
  ['redis://h:65536', 'a port from 1 to 65535'],
  ['redis://h:port', 'a port from 1 to 65535'],
  ['redis://::1', '[in brackets] if IPv6'],
  ['redis+sentinel://a,,b/m', 'each host must be a name'],
  ['redis://u:%@h', 'a percent sign is written %25'],
  ['redis://h#0', "a backend's URL must look like"],
  ['postgres://h', '"postgres:" is not a Redis URL; known are redis, rediss, redis+sentinel, redis+cluster'],
] as const)('%s is refused', ([url, message]) => {
  for (const given of [() => adapter.fromUrl(url), () => redis({ url })]) {
    expect(given).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', temporary: false }))
    expect(given).toThrow(message)
  }
})

test.for<[unknown, string]>([
  [undefined, 'redis() needs either { url } or { client }'],
  [{}, 'redis() needs either { url } or { client }'],
  ['redis://h', 'options must be an object'],
  [{ url: 'redis://h', ttl: 1 }, `unknown option "ttl"; known are ${knownInUrl}, natMap, url, client`],
  [{ url: 'redis://h', tls: 'true' }, 'tls must be true or false; got "true"'],
  [{ url: 'redis://h', acknowledge: '1' }, 'acknowledge must be a whole number from 0 to 100; got "1"'],
  [{ url: 7 }, 'url must be a string'],
  [{ url: 'redis://h', natMap: 'a' }, 'natMap must be an object of { host, port } by "host:port"'],
  [{ url: 'redis://h', natMap: { a: 'b:1' } }, 'natMap must be'],
  [{ client: {} }, 'client must be an ioredis Redis or Cluster; got an object'],
  [{ client: 'redis://h' }, 'client must be an ioredis Redis or Cluster'],
])('redis(%j) is refused', ([options, message]) => {
  expect(() => redis(options as RedisOptions)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) as string }),
  )
})

test('a URL and a client are refused together', () => {
  expect(() => redis({ url: 'redis://h', client: idle() })).toThrow('redis() needs either { url } or { client }')
})

test.for([{ tls: true }, { sentinelUsername: 'a' }, { sentinelPassword: 'b' }, { natMap: {} }] as RedisOptions[])(
  'a client has its own settings, so %j is refused',
  (option) => {
    expect(() => redis({ client: idle(), ...option })).toThrow(
      `${Object.keys(option)[0]} is for a url; a client has its own settings`,
    )
  },
)

const secret = 'cAnArY'

test.for([
  `redis://u:${secret}@`,
  `redis://u:${secret}@h:port`,
  `redis://u:${secret}%@h`,
  `redis://u:${secret}@h/x`,
  `redis://u:${secret}@h?ttl=1`,
  `redis://u:${secret}@h#`,
  `redis://u:${secret}@a,b`,
  `rediss://u:${secret}@h?tls=false`,
  `redis+cluster://u:${secret}@h/1`,
  `redis+sentinel://u:${secret}@h`,
  `redis+sentinel://h?sentinelPassword=${secret}`,
  `redis://h?sentinelPassword=${secret}`,
  `redis+sentinel://h/m?sentinelPassword=${secret.repeat(200)}`,
  `redis+sentinel://h/m?sentinelPassword=${secret}&sentinelPassword=${secret}`,
  // What has to be encoded and is not.
  `redis://u:1?${secret}@h`,
  `redis://u:1?a${secret}=1@h`,
  `redis://u:1?${secret}&prefix@h`,
  `redis://u:1?prefix=${secret}@h`,
  `redis://u:1?tls=${secret}@h`,
  `redis://u:1#${secret}@h`,
  `redis://u:1/${secret}@h`,
  `redis://u:${secret}/1@h`,
  `redis+cluster://u:1/${secret}@h`,
  `redis://u:@${secret}@h`,
])('no secret is in what is said of %s', (url) => {
  for (const given of [() => adapter.fromUrl(url), () => redis({ url })]) {
    let error: unknown
    try {
      given()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(LockError)
    expect(String((error as Error).stack)).not.toContain(secret)
  }
})

test('a secret of a wrong type is not repeated', () => {
  const options = { url: 'redis+sentinel://h/m', sentinelPassword: 918_273_645 } as unknown as RedisOptions
  expect(() => redis(options)).toThrow(/^sentinelPassword must be a string(?!.*918)/)
})

test('what the backend is called and promises depends on where it is', () => {
  const cluster = new Cluster([{ host: 'h' }], { lazyConnect: true })
  cleanup(() => cluster.disconnect())
  const behindSentinel = idle({ sentinels: [{ host: 'h' }], name: 'm' })
  const named = [
    redis({ url: 'redis://h' }),
    redis({ client: idle() }),
    redis({ url: 'redis+sentinel://h/m' }),
    redis({ client: behindSentinel }),
    redis({ url: 'redis+cluster://h' }),
    redis({ client: cluster }),
  ].map(({ name, capabilities }) => `${name} ${capabilities.fencing}`)
  expect(named).toEqual([
    ...Array.from({ length: 2 }, () => 'redis durable'),
    ...Array.from({ length: 2 }, () => 'redis-sentinel volatile'),
    ...Array.from({ length: 2 }, () => 'redis-cluster volatile'),
  ])
})
