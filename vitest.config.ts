import { existsSync, globSync, readdirSync } from 'node:fs'
import { needServers } from '@locks/testkit'
import { defineConfig } from 'vitest/config'

// Workspace packages resolve to their sources: no build before a test.
const source = '@locks/source'
const conditions = [source, 'module', 'node', 'development|production']

// `--backend a,b` leaves out the packages of the other adapters, and what starts servers if neither a nor b needs one.
const adapters = ['sqlite', 'redis', 'zookeeper', 'etcd', 'postgres']
const chosen = process.env.LOCKS_TEST_BACKENDS?.split(',')
const isChosen = (name: string) =>
  name === 'testkit' ? needServers(chosen) : !chosen || !adapters.includes(name) || chosen.includes(name)

const contract = 'test/conformance*.test.ts'
const measured = 'test/cost.test.ts'
const alone = ['cli', 'chaos', 'demo']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: [source, 'node'] } },
  test: {
    hookTimeout: 60_000,
    // Child processes that inherit `process.execArgv` see the sources too.
    execArgv: [`--conditions=${source}`],
    projects: ['packages', 'apps']
      .flatMap((group) => readdirSync(group).map((name) => ({ name, root: `${group}/${name}` })))
      .filter(({ name, root }) => existsSync(`${root}/package.json`) && isChosen(name))
      .flatMap(({ name, root }) => [
        // The cases wait for conditions, most of the time for a ttl to pass: two files share two cores well.
        ...project(`${name}-contract`, root, { include: [contract], order: 0, workers: 2, timeout: 180_000 }),
        // So do the other tests of the adapters, but for those that measure …
        ...project(name, root, {
          include: ['test/**/*.test.ts'],
          exclude: [contract, ...(alone.includes(name) ? [] : [measured])],
          order: alone.includes(name) ? 2 : 1,
          workers: alone.includes(name) ? 1 : 2,
          timeout: 60_000,
        }),
        // … which have the machine to themselves, as have those that start many processes.
        ...(alone.includes(name)
          ? []
          : project(`${name}-measured`, root, { include: [measured], order: 2, workers: 1, timeout: 60_000 })),
      ]),
  },
})

interface Files {
  readonly include: string[]
  readonly exclude?: string[]
  /** Projects of one order run together, with so many workers. */
  readonly order: number
  readonly workers: number
  /** No more than a sign that something hangs, ms. */
  readonly timeout: number
}

/** None where there are no such files. */
function project(name: string, root: string, { include, exclude = [], order, workers, timeout }: Files) {
  if (globSync(include, { cwd: root, exclude }).length === 0) return []
  const files = { include, exclude, maxWorkers: workers, testTimeout: timeout, sequence: { groupOrder: order } }
  return [{ extends: true as const, test: { name, root, ...files } }]
}
