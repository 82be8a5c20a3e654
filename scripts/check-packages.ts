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

interface Manifest {
  name: string
  private?: boolean
  publishConfig?: { access?: string; provenance?: boolean }
  [field: string]: unknown
}

/** What npm shows of a package, and what it needs to publish it. */
function checkManifest({ publishConfig, ...manifest }: Manifest): string[] {
  const missing = ['description', 'keywords', 'license', 'engines'].filter((field) => !manifest[field])
  return [
    ...missing.map((field) => `package.json has no ${field}`),
    ...(publishConfig?.access === 'public' ? [] : ['publishConfig.access is not public']),
    ...(publishConfig?.provenance === true ? [] : ['publishConfig.provenance is not true']),
  ]
}

/** A debugger and a stack trace lead to what was written, and so does "go to definition". */
function checkMaps(unpacked: string): string[] {
  const outputs = globSync('dist/**/*.{js,d.ts}', { cwd: unpacked })
  const without = outputs.filter((file) => !existsSync(join(unpacked, `${file}.map`)))
  const missing = globSync('dist/**/*.map', { cwd: unpacked }).flatMap((file) => {
    const { sources } = JSON.parse(readFileSync(join(unpacked, file), 'utf8')) as { sources: string[] }
    return sources
      .map((source) => join(dirname(file), source))
      .filter((source) => !existsSync(join(unpacked, source)))
      .map((source) => `${file} leads to ${source}, which is missing`)
  })
  return [...without.map((file) => `${file} has no map`), ...missing]
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
    ...['LICENSE', 'README.md'].filter((file) => !existsSync(join(unpacked, file))).map((file) => `${file} is missing`),
    ...checkMaps(unpacked),
  ]
}

const temporary = mkdtempSync(join(tmpdir(), 'locks-pack-'))
try {
  await check('build', 'turbo', ['run', 'build', '--output-logs=new-only'])
  for (const manifest of globSync('packages/*/package.json')) {
    const written = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest
    if (written.private) continue
    const { name } = written
    const dir = dirname(manifest)
    const tarball = join(temporary, 'package.tgz')
    if (!(await check(`pack ${name}`, 'pnpm', ['pack', '--out', tarball], dir))) continue
    await check(`unpack ${name}`, 'tar', ['-xzf', tarball, '-C', temporary])
    const problems = [...checkManifest(written), ...checkContents(dir, join(temporary, 'package'))]
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
