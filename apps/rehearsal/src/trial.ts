import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import type { NodeRelease } from './nodes.ts'
import { attempt, type Outcome } from './outcome.ts'
import { manifestIn } from './packages.ts'
import { programs } from './places.ts'
import { npmrc } from './registry.ts'
import type { Stage } from './stage.ts'
import type { Subject } from './subjects.ts'

export interface Trial {
  readonly name: string
  readonly subject: Subject
  /** What is installed, with exact versions or ranges. */
  readonly install: readonly string[]
  /** Where its store is. */
  readonly url: string | undefined
}

/** Where TypeScript's compiler and the types of others are: the workspace's. */
const require = createRequire(import.meta.url)
const versionOf = (name: string) => manifestIn(require.resolve(`${name}/package.json`)).version
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')

const compilerOptions = {
  module: 'nodenext',
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  rewriteRelativeImportExtensions: true,
  skipLibCheck: false,
  types: ['node'],
}

/**
 * One package in an empty folder, as its users install it: checked with their types, and run on each Node.js. `label`
 * tells the row, which may depend on what was installed.
 */
export async function tryOut(
  stage: Stage,
  registry: string,
  nodes: readonly NodeRelease[],
  trial: Trial,
  label: (installed: string | undefined) => string,
): Promise<Outcome[]> {
  const { name, subject } = trial
  const room = await stage.room(join('users', trial.install.join('+').replaceAll('/', '-')))
  await writeFile(join(room, '.npmrc'), npmrc(registry))
  await writeFile(join(room, 'package.json'), JSON.stringify({ private: true }))
  const types = ['@types/node', ...(subject.types ?? [])].map((each) => `${each}@${versionOf(each)}`)
  const install = ['install', '--no-audit', '--no-fund', ...trial.install, ...types]
  const installed = await attempt('', 'install', () => stage.run('npm', install, { cwd: room }))
  const row = label(subject.driver && installed.problem === undefined ? driverIn(room, subject.driver) : undefined)
  if (installed.problem !== undefined) return [{ ...installed, row }]

  await writeFile(join(room, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [...subject.programs] }))
  for (const program of await readdir(programs)) {
    const text = await readFile(join(programs, program), 'utf8')
    await writeFile(join(room, program), text.replaceAll('@locks/redis', name))
  }
  const checked = await attempt(row, 'types', () => stage.run(process.execPath, [tsc, '-p', '.'], { cwd: room }))
  const outcomes = [{ ...installed, row }, checked]
  if (checked.problem !== undefined) return outcomes

  const url = trial.url ?? subject.url?.(room) ?? ''
  for (const node of nodes) {
    const env = { LOCKS_URL: url, PATH: [dirname(node.executable), process.env.PATH].join(':') }
    for (const program of subject.programs) {
      const output = program.replace(/ts$/, 'js')
      const run = () => stage.run(node.executable, [output], { cwd: room, env, patience: 60_000 })
      outcomes.push(await attempt(row, `Node ${node.version}`, run))
    }
  }
  return outcomes
}

function driverIn(room: string, driver: string): string {
  return manifestIn(join(room, 'node_modules', driver, 'package.json')).version
}
