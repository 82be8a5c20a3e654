import { preflight } from '@locks/testkit'
import { allNodes, type NodeRelease } from './nodes.ts'
import type { Outcome } from './outcome.ts'
import { lowestOf, publicPackages, type PublicPackage } from './packages.ts'
import { root } from './places.ts'
import { startRegistry } from './registry.ts'
import { release } from './release.ts'
import type { Stage } from './stage.ts'
import { subjects, type Subject } from './subjects.ts'
import { tryOut } from './trial.ts'

/** Two cores are kept busy by two at a time. */
const atATime = 2

/** Releases everything to a registry of its own, and tries out what came there: these packages, or all. */
export async function rehearse(stage: Stage, chosen: readonly string[], heard: (outcome: Outcome) => void) {
  const packages = publicPackages(root).filter(({ manifest }) => isChosen(manifest.name, chosen))
  const servers = packages.map(({ manifest }) => manifest.name).filter((name) => subjects[name]?.start)
  const missing = preflight(servers.map((name) => name.slice('@locks/'.length)))
  if (missing) throw new Error(missing)

  const registry = await startRegistry(stage)
  const [released, nodes, urls] = await Promise.all([
    release(stage, registry),
    allNodes(stage),
    startStores(stage, packages),
  ])
  released.outcomes.forEach(heard)
  const { version } = released
  if (version === undefined) return

  const waiting = [...packages]
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await tryPackage({ stage, registry, nodes, version, url: urls.get(next.manifest.name) }, next, heard)
    }
  }
  await Promise.all(Array.from({ length: atATime }, work))
}

function isChosen(name: string, chosen: readonly string[]): boolean {
  return chosen.length === 0 || chosen.some((each) => name === each || name === `@locks/${each}`)
}

async function startStores(stage: Stage, packages: readonly PublicPackage[]): Promise<Map<string, string>> {
  const urls = new Map<string, string>()
  for (const { manifest } of packages) {
    const store = await subjects[manifest.name]?.start?.()
    if (!store) continue
    stage.own(() => store.end())
    urls.set(manifest.name, store.url)
  }
  return urls
}

interface Circumstances {
  readonly stage: Stage
  readonly registry: string
  readonly nodes: readonly NodeRelease[]
  readonly version: string
  readonly url: string | undefined
}

async function tryPackage(
  { stage, registry, nodes, version, url }: Circumstances,
  { manifest: { name, peerDependencies = {} } }: PublicPackage,
  heard: (outcome: Outcome) => void,
): Promise<void> {
  const subject: Subject | undefined = subjects[name]
  if (!subject) {
    heard({
      row: name,
      column: 'install',
      took: 0,
      problem: 'apps/rehearsal/src/subjects.ts does not say how to try it',
    })
    return
  }
  const ours = [name, ...(subject.with ?? [])].map((each) => `${each}@${version}`)
  const install = async (label: (installed: string | undefined) => string, driver: string[] = []) =>
    (await tryOut(stage, registry, nodes, { name, subject, url, install: [...ours, ...driver] }, label)).forEach(heard)

  const { driver, withDriver } = subject
  if (driver === undefined) return install(() => name)
  const range = peerDependencies[driver] ?? ''
  const lowest = lowestOf(range)
  let highest: string | undefined
  await install(
    (installed) => {
      highest = installed
      return `${name}, ${driver} ${installed ?? range} (highest${installed === lowest ? ' and lowest' : ''})`
    },
    [`${driver}@${range}`, ...(withDriver?.highest ?? [])],
  )
  if (highest === lowest) return
  await install(() => `${name}, ${driver} ${lowest} (lowest)`, [`${driver}@${lowest}`, ...(withDriver?.lowest ?? [])])
}
