import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export interface PublicPackage {
  readonly folder: string
  readonly manifest: Manifest
}

/** What a workspace publishes. */
export function publicPackages(workspace: string): PublicPackage[] {
  return globSync('packages/*/package.json', { cwd: workspace })
    .map((file) => join(workspace, file))
    .map((file) => ({ folder: join(file, '..'), manifest: manifestIn(file) }))
    .filter(({ manifest }) => !manifest.private)
}

export function manifestIn(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest
}

/** The lowest version in a range such as ours: `^1.2.3`. */
export function lowestOf(range: string): string {
  const [, lowest] = /^[\^~]?(\d+\.\d+\.\d+)$/.exec(range) ?? []
  if (!lowest) throw new Error(`no lowest version in the range ${range}`)
  return lowest
}
