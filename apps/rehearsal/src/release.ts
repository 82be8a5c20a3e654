import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import assert from 'node:assert/strict'
import { attempt, type Outcome } from './outcome.ts'
import { publicPackages } from './packages.ts'
import { root } from './places.ts'
import { npmrc } from './registry.ts'
import type { Stage } from './stage.ts'

export interface Release {
  readonly outcomes: readonly Outcome[]
  /** The version of everything that was published; none if that failed. */
  readonly version: string | undefined
}

/**
 * Releases a copy of the working tree, as the workflow does, to another registry: the version bump, its commit, the build,
 * publishing, tags. A change of every package is added, so that there is something to release at any time.
 */
export async function release(stage: Stage, registry: string): Promise<Release> {
  const copy = await stage.room('workspace')
  const run = (command: string, ...args: string[]) => stage.run(command, args, { cwd: copy })
  const outcomes: Outcome[] = []
  /** What follows needs it: the first that fails is the last. */
  const step = async (name: string, act: () => Promise<unknown>) => {
    if (outcomes.some(({ problem }) => problem !== undefined)) return
    outcomes.push(await attempt('release', name, act))
  }
  const versions = () => new Map(publicPackages(copy).map(({ manifest }) => [manifest.name, manifest.version]))
  const names = publicPackages(root).map(({ manifest }) => manifest.name)

  await step('copy', async () => {
    await copyTree(stage, copy)
    await writeFile(join(copy, '.npmrc'), npmrc(registry))
    await addChangeset(copy, names, 'patch')
    await run('git', 'init', '--quiet', '--initial-branch=main')
    await run('git', 'config', 'user.name', 'rehearsal')
    await run('git', 'config', 'user.email', 'rehearsal@localhost')
    await commit('what is released')
    await run('pnpm', 'install', '--frozen-lockfile', '--prefer-offline')
    await run('pnpm', 'run', 'repository', 'rehearsal/locks')
    await commit('where it is')
  })
  let version: string | undefined
  await step('version', async () => {
    await run('pnpm', 'run', 'release:version')
    version = one(new Set(versions().values()))
    for (const { folder, manifest } of publicPackages(copy)) {
      const log = await readFile(join(folder, 'CHANGELOG.md'), 'utf8')
      assert.ok(log.includes(`\n## ${version}\n`), `the CHANGELOG of ${manifest.name} does not tell of ${version}`)
    }
    // The lockfile still fits, as the workflow installs with it.
    await run('pnpm', 'install', '--frozen-lockfile', '--offline')
    await commit('a new version')
  })
  await step('unattested', async () => {
    // As the workflow asks for it. Only a build service can attest where something comes from: here nothing may be published.
    const env = { PNPM_CONFIG_PROVENANCE: 'true', GITHUB_ACTIONS: '', GITLAB_CI: '' }
    const published = stage.run('pnpm', ['run', 'release:publish'], { cwd: copy, env })
    await assert.rejects(published, /ERR_PNPM_PROVENANCE_UNSUPPORTED_PROVIDER/)
    assert.equal(await run('git', 'tag'), '')
  })
  await step('publish', async () => {
    await run('pnpm', 'run', 'release:publish')
    const tags = (await run('git', 'tag')).trim().split('\n')
    assert.deepEqual(tags.toSorted(), names.map((name) => `${name}@${version}`).toSorted())
  })
  const published = outcomes.some(({ column, problem }) => column === 'publish' && problem === undefined)
  await step('next: one adapter', async () => {
    const before = versions()
    await addChangeset(copy, ['@locks/redis'], 'patch')
    await run('pnpm', 'run', 'release:version')
    const changed = [...versions()].filter(([name, now]) => now !== before.get(name)).map(([name]) => name)
    assert.deepEqual(changed, ['@locks/redis'])
    await undo()
  })
  await step('next: core', async () => {
    // Out of the range that all others have of it: they go along.
    await addChangeset(copy, ['@locks/core'], version?.startsWith('0.') ? 'minor' : 'major')
    await run('pnpm', 'run', 'release:version')
    one(new Set(versions().values()))
    await undo()
  })
  return { outcomes, version: published ? version : undefined }

  async function commit(message: string): Promise<void> {
    await run('git', 'add', '--all')
    await run('git', 'commit', '--quiet', '--no-verify', '--message', message)
  }

  async function undo(): Promise<void> {
    await run('git', 'checkout', '--quiet', '--', '.')
    await run('git', 'clean', '--quiet', '--force', '-d')
  }
}

/** What git has or would have, as it is in the working tree. */
async function copyTree(stage: Stage, copy: string): Promise<void> {
  const listed = await stage.run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  for (const file of new Set(listed.split('\0').filter((each) => each !== ''))) {
    const from = join(root, file)
    if (!existsSync(from)) continue // deleted, and not yet committed
    await mkdir(dirname(join(copy, file)), { recursive: true })
    await cp(from, join(copy, file), { verbatimSymlinks: true })
  }
}

async function addChangeset(copy: string, names: readonly string[], bump: 'patch' | 'minor' | 'major'): Promise<void> {
  const heads = names.map((name) => `'${name}': ${bump}\n`).join('')
  await writeFile(join(copy, '.changeset', 'rehearsal.md'), `---\n${heads}---\n\nThe rehearsal.\n`)
}

function one(versions: ReadonlySet<string>): string {
  const [version, ...others] = versions
  assert.ok(
    version !== undefined && others.length === 0,
    `one version for all was expected: ${[...versions].join(', ')}`,
  )
  return version
}
