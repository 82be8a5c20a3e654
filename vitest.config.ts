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

interface Kind {
  readonly suffix: string
  readonly files: string
  /** Kinds run one after the other; the files of one run together, with so many workers. */
  readonly order: number
  readonly workers: number
  /** No more than a sign that something hangs, ms. */
  readonly timeout: number
}

/** The cases wait for conditions, most of the time for a ttl to pass: three files share two cores well. */
const contract: Kind = {
  suffix: '-contract',
  files: 'test/conformance*.test.ts',
  order: 0,
  workers: 3,
  timeout: 180_000,
}
const others: Kind = { suffix: '', files: 'test/**/*.test.ts', order: 1, workers: 2, timeout: 60_000 }
/** What compares times: nothing runs beside it. */
const cost: Kind = { suffix: '-cost', files: 'test/cost.test.ts', order: 2, workers: 1, timeout: 60_000 }
/** A load in itself, some of it judged by deadlines. */
const load: Kind = { ...others, order: cost.order, workers: cost.workers }
const loads = ['bench', 'chaos', 'demo']

function projectsOf(name: string, root: string) {
  const special = [contract, cost].filter(({ files }) => globSync(`${root}/${files}`).length > 0)
  const exclude = special.map(({ files }) => files)
  return [
    ...special.map((kind) => project(name, root, kind, [])),
    project(name, root, loads.includes(name) ? load : others, exclude),
  ]
}

function project(name: string, root: string, { suffix, files, order, workers, timeout }: Kind, exclude: string[]) {
  return {
    extends: true as const,
    test: {
      name: `${name}${suffix}`,
      root,
      include: [files],
      exclude,
      maxWorkers: workers,
      testTimeout: timeout,
      sequence: { groupOrder: order },
    },
  }
}

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
      .flatMap(({ name, root }) => projectsOf(name, root)),
  },
})
