import type { Adapter } from '@locks/core'
import { Failure, misuse } from '../failure.ts'
import { exitCodes } from '../exit-codes.ts'
import { nodesOf } from './nodes.ts'

interface Known {
  readonly load: () => Promise<{ readonly adapter: Adapter }>
  /** What to install when it is missing. */
  readonly install: string
}

const sqlite: Known = { load: () => import('@locks/sqlite'), install: '@locks/sqlite' }
const redis: Known = { load: () => import('@locks/redis'), install: '@locks/redis ioredis@6' }
const postgres: Known = { load: () => import('@locks/postgres'), install: '@locks/postgres pg@8' }
const etcd: Known = { load: () => import('@locks/etcd'), install: '@locks/etcd etcd3@1' }
const zookeeper: Known = {
  load: () => import('@locks/zookeeper'),
  install: '@locks/zookeeper node-zookeeper-client@1',
}

const schemes = new Map<string, Known>([
  ['sqlite', sqlite],
  ['redis', redis],
  ['rediss', redis],
  ['redis+sentinel', redis],
  ['redis+cluster', redis],
  ['postgres', postgres],
  ['postgresql', postgres],
  ['etcd', etcd],
  ['etcds', etcd],
  ['zookeeper', zookeeper],
])

/** The adapter of a URL, or those of its nodes. */
export function adaptersFor(url: string): Promise<Adapter[]> {
  return Promise.all((nodesOf(url) ?? [url]).map(adapterFor))
}

/**
 * Loaded when it is needed. From where `locks` itself is installed and never from the working directory, which may be
 * anybody's.
 */
async function adapterFor(url: string): Promise<Adapter> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? ''
  const known = schemes.get(scheme)
  if (scheme === 'memory') throw misuse('memory: is one process only, and a lock of it would keep nobody out')
  if (!known)
    throw misuse(
      `no backend for this URL; known are ${[...schemes.keys(), 'quorum'].map((each) => `${each}:`).join(' ')}`,
    )
  try {
    return (await known.load()).adapter
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    const npx = ['@locks/cli', ...known.install.split(' ')].map((each) => `-p ${each}`).join(' ')
    const message = `${scheme}: needs packages that are not installed beside locks: npm install --global ${known.install} (or in a project without --global), or npx ${npx} locks ...`
    throw new Failure('NOT_INSTALLED', exitCodes.usage, message)
  }
}
