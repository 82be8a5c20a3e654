import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { cache } from './places.ts'
import type { Stage } from './stage.ts'

export interface NodeRelease {
  readonly version: string
  readonly executable: string
}

/** The lowest that `engines` allow, and the newest of each line that is supported. */
const versions = ['22.13.0', '22.23.3', '24.21.0', '26.10.0']

/** Installed once and kept in `node_modules/.cache`; the workspace's own serves for its version. */
export async function allNodes(stage: Stage): Promise<NodeRelease[]> {
  const releases: NodeRelease[] = []
  for (const version of versions) releases.push({ version, executable: await nodeOf(stage, version) })
  return releases
}

async function nodeOf(stage: Stage, version: string): Promise<string> {
  if (process.versions.node === version) return process.execPath
  const kept = join(cache, `node-${version}`)
  const executable = join(kept, 'node_modules', 'node', 'bin', 'node')
  if (existsSync(executable)) return executable
  const fresh = `${kept}.${process.pid}`
  stage.own(() => rm(fresh, { recursive: true, force: true }))
  await mkdir(fresh, { recursive: true })
  const flags = ['--no-save', '--no-audit', '--no-fund', '--prefix', fresh]
  await stage.run('npm', ['install', ...flags, `node@${version}`], { cwd: fresh })
  await rm(kept, { recursive: true, force: true })
  await rename(fresh, kept)
  return executable
}
