/**
 * `pnpm docs:snippets`: every block of TypeScript in the documents is checked against the packages, and those that say so are
 * run. Names that a block takes for granted are those of prelude.d.ts.
 */
import { execFile } from 'node:child_process'
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
write()
const [mistyped, failed] = await Promise.all([types(), runs()])
const problems = [...mistyped, ...failed, ...documents.flatMap(wrongCommands)]
for (const each of problems) console.error(each)

const count = (how: Snippet['how']) => snippets.filter((each) => each.how === how).length
console.log(
  `snippets: ${snippets.length} in ${documents.length} documents, ${count('run')} run, ${count('fragment')} fragments; ` +
    `${problems.length} problems`,
)
process.exitCode = problems.length > 0 ? 1 : 0

/** Each block is a module on the lines that it has in its document, so that a complaint names the right ones. */
function write(): void {
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
}

/** All of them in one program. */
async function types(): Promise<string[]> {
  const { status, stdout } = await execute(
    join(root, 'node_modules/.bin/tsc'),
    ['-p', folder, '--pretty', 'false'],
    folder,
  )
  const complaints = stdout.split('\n').filter(Boolean)
  if (status !== 0 && complaints.length === 0) return [`tsc ended with ${status}`]
  return complaints.map((complaint) =>
    complaint.replace(/^(\d+)\.ts\((\d+),\d+\)/, (_, at: string, line: string) => `${where(at)}:${line}`),
  )
}

function where(at: string): string {
  return snippets[Number(at)]?.file ?? at
}

/** Each in a process and an empty folder of its own. */
async function runs(): Promise<string[]> {
  const ended = snippets.map(async ({ how, file, line }, at) => {
    if (how !== 'run') return []
    const cwd = mkdtempSync(join(tmpdir(), 'locks-snippet-'))
    const flags = ['--conditions=@locks/source', '--disable-warning=ExperimentalWarning', join(folder, `${at}.ts`)]
    const { status, stderr } = await execute(process.execPath, flags, cwd)
    rmSync(cwd, { recursive: true, force: true })
    return status === 0 ? [] : [`${file}:${line}: ended with ${status}\n${stderr}`]
  })
  return (await Promise.all(ended)).flat()
}

function execute(file: string, args: readonly string[], cwd: string) {
  return new Promise<{ status: number | string; stdout: string; stderr: string }>((resolve) =>
    execFile(file, args, { cwd, timeout: 60_000, maxBuffer: 2 ** 24 }, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? error?.signal ?? 0, stdout, stderr }),
    ),
  )
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
