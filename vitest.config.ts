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

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: [source, 'node'] } },
  test: {
    hookTimeout: 60_000,
    // Child processes that inherit `process.execArgv` see the sources too.
    execArgv: [`--conditions=${source}`],
    projects: ['packages', 'apps', 'examples']
      .flatMap((group) => readdirSync(group).map((name) => ({ name, root: `${group}/${name}` })))
      .filter(({ name, root }) => existsSync(`${root}/package.json`) && isChosen(name))
      .flatMap(({ name, root }) => [
        // Many tests measure time, and start processes that do: one file at a time.
        project(name, root, {
          include: ['test/**/*.test.ts'],
          exclude: [contract],
          order: 1,
          workers: 1,
          timeout: 60_000,
        }),
        // The cases wait for conditions, most of the time for a ttl to pass: three files share two cores well.
        ...(globSync(`${root}/${contract}`).length > 0
          ? [
              project(`${name}-contract`, root, {
                include: [contract],
                exclude: [],
                order: 0,
                workers: 3,
                timeout: 180_000,
              }),
            ]
          : []),
      ]),
  },
})

interface Files {
  readonly include: string[]
  readonly exclude: string[]
  /** Projects of one order run together, with so many workers. */
  readonly order: number
  readonly workers: number
  /** No more than a sign that something hangs, ms. */
  readonly timeout: number
}

function project(name: string, root: string, { include, exclude, order, workers, timeout }: Files) {
  return {
    extends: true as const,
    test: { name, root, include, exclude, maxWorkers: workers, testTimeout: timeout, sequence: { groupOrder: order } },
  }
}
