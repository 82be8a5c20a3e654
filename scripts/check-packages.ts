// npm run check: packs every public package and looks at the tarball as its users get it; then knip over the workspace.
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { run } from './spawn.mjs'

const failed: string[] = []

async function check(label: string, command: string, args: string[], cwd = '.') {
  console.log(`\n> ${label}`)
  const { code, received } = await run(command, args, { cwd })
  if (received) process.kill(process.pid, received)
  if (code !== 0) failed.push(label)
  return code === 0
}

/** The manifest is rewritten while packing, and the tarball holds what a forgotten clean left in dist. */
function checkContents(dir: string, unpacked: string): string[] {
  const manifest = readFileSync(join(unpacked, 'package.json'), 'utf8')
  const leftovers = ['@locks/source', 'workspace:', 'catalog:'].filter((word) => manifest.includes(word))
  const outputs = globSync('dist/**/*.js', { cwd: unpacked })
  const orphans = outputs.filter((file) => !existsSync(join(dir, file.replace(/^dist(.*)\.js$/, 'src$1.ts'))))
  return [
    ...leftovers.map((word) => `package.json still says ${word}`),
    ...orphans.map((file) => `${file} has no source`),
    ...(outputs.length === 0 ? ['dist is empty'] : []),
    ...(existsSync(join(unpacked, 'LICENSE')) ? [] : ['LICENSE is missing']),
  ]
}

const temporary = mkdtempSync(join(tmpdir(), 'locks-pack-'))
try {
  await check('build', 'turbo', ['run', 'build', '--output-logs=new-only'])
  for (const manifest of globSync('packages/*/package.json')) {
    const { name, private: isPrivate } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      name: string
      private?: boolean
    }
    if (isPrivate) continue
    const dir = dirname(manifest)
    const tarball = join(temporary, 'package.tgz')
    if (!(await check(`pack ${name}`, 'pnpm', ['pack', '--out', tarball], dir))) continue
    await check(`unpack ${name}`, 'tar', ['-xzf', tarball, '-C', temporary])
    const problems = checkContents(dir, join(temporary, 'package'))
    for (const problem of problems) console.error(`${name}: ${problem}`)
    if (problems.length > 0) failed.push(`contents of ${name}`)
    await check(`publint ${name}`, 'publint', ['run', tarball, '--strict'])
    await check(`attw ${name}`, 'attw', [tarball, '--profile', 'esm-only'])
    rmSync(join(temporary, 'package'), { recursive: true, force: true })
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
await check('knip', 'knip', [])

console.log(failed.length > 0 ? `\nFailed: ${failed.join(', ')}` : '\nAll package checks passed')
process.exitCode = failed.length > 0 ? 1 : 0
