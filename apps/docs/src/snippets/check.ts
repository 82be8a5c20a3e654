/**
 * `pnpm docs:snippets`: every block of TypeScript in the documents is checked against the packages, and those that say so are
 * run. Names that a block takes for granted are those of prelude.d.ts.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { docs, pages, read, root } from '../files.ts'
import { commandsOf, snippetsOf, type Snippet } from './extract.ts'

const folder = join(docs, '.snippets')
const documents = [...pages.keys(), 'AGENTS.md', 'packages/testkit/README.md']
const snippets = documents.flatMap((file) => snippetsOf(file, read(file)))
/** What pnpm does by itself. */
const builtIn = new Set(['install', 'add', 'exec', 'dlx'])
const problems = [...types(), ...runs(), ...documents.flatMap(wrongCommands)]
for (const each of problems) console.error(each)

const count = (how: Snippet['how']) => snippets.filter((each) => each.how === how).length
console.log(
  `snippets: ${snippets.length} in ${documents.length} documents, ${count('run')} run, ${count('fragment')} fragments; ` +
    `${problems.length} problems`,
)
process.exitCode = problems.length > 0 ? 1 : 0

/** Each block is a module on the lines that it has in its document, so that a complaint names the right ones. */
function types(): string[] {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [at, { how, line, code }] of snippets.entries()) {
    if (how !== 'fragment') writeFileSync(join(folder, `${at}.ts`), `export {};${'\n'.repeat(line - 1)}${code}\n`)
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../../tsconfig.base.json',
      // As strict as most readers are.
      compilerOptions: {
        noUnusedLocals: false,
        noUnusedParameters: false,
        noUncheckedIndexedAccess: false,
        exactOptionalPropertyTypes: false,
      },
      include: ['*.ts', '../src/snippets/prelude.d.ts', '../../../packages/zookeeper/src/*.d.ts'],
    }),
  )
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
    cwd: folder,
  })
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((complaint) =>
      complaint.replace(/^(\d+)\.ts\((\d+),\d+\)/, (_, at: string, line: string) => `${where(at)}:${line}`),
    )
}

function where(at: string): string {
  return snippets[Number(at)]?.file ?? at
}

/** In an empty folder, each in a process of its own. */
function runs(): string[] {
  return snippets.flatMap(({ how, file, line }, at) => {
    if (how !== 'run') return []
    const cwd = mkdtempSync(join(tmpdir(), 'locks-snippet-'))
    const flags = ['--conditions=@locks/source', '--disable-warning=ExperimentalWarning', join(folder, `${at}.ts`)]
    const { status, stderr } = spawnSync(process.execPath, flags, { cwd, encoding: 'utf8', timeout: 60_000 })
    rmSync(cwd, { recursive: true, force: true })
    return status === 0 ? [] : [`${file}:${line}: ended with ${status}\n${stderr}`]
  })
}

/** Commands that are named and are not there. */
function wrongCommands(file: string): string[] {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const program = read('packages/cli/src/program.ts')
  return commandsOf(read(file)).flatMap(({ line, tool, name }) => {
    const known =
      tool === 'script' ? name in scripts || builtIn.has(name) : new RegExp(`command\\('${name}\\b`).test(program)
    return known || name === 'help' ? [] : [`${file}:${line}: there is no command ${name}`]
  })
}
