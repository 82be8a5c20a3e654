import { existsSync, readdirSync } from 'node:fs'
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

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: [source, 'node'] } },
  test: {
    // Many tests measure time, and every case may start processes: one file at a time.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Child processes that inherit `process.execArgv` see the sources too.
    execArgv: [`--conditions=${source}`],
    projects: ['packages', 'apps']
      .flatMap((group) => readdirSync(group).map((name) => ({ name, root: `${group}/${name}` })))
      .filter(({ name, root }) => existsSync(`${root}/package.json`) && isChosen(name))
      .map(({ name, root }) => ({
        extends: true,
        test: { name, root, include: ['test/**/*.test.ts'] },
      })),
  },
})
