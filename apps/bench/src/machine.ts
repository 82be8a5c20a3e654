import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import process from 'node:process'
import { findPackageJSON } from 'node:module'
import type { Machine } from './result.ts'

export function thisMachine(minutes: number): Machine {
  const all = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    cores: all.length,
    processor: all[0]?.model.trim() ?? 'unknown',
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()}`,
    minutes,
  }
}

const measured = [
  '@grpc/grpc-js',
  '@verrou/core',
  'async-mutex',
  'etcd3',
  'ioredis',
  'node-zookeeper-client',
  'pg',
  'proper-lockfile',
  'redis-semaphore',
  'redlock',
  'redlock-universal',
]

/** Of the packages that are measured, and of what runs them. */
export function packageVersions(): Readonly<Record<string, string>> {
  const of = (name: string) => {
    const manifest = findPackageJSON(name, import.meta.url)
    return manifest ? String((JSON.parse(readFileSync(manifest, 'utf8')) as { version: unknown }).version) : ''
  }
  return {
    node: process.versions.node,
    ...Object.fromEntries(measured.map((name) => [name, of(name).replace(/^v/, '')])),
  }
}
