import { accessSync, constants, globSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'

export interface Requirement {
  /** Debian's name of it. */
  readonly package: string
  /** The name of a file that shows that it is there. */
  readonly file: string
  /** The backend whose tests need it; absent: all whose store is a server. */
  readonly backend?: string
}

/** Everything that the tests need beyond Node.js. */
export const requirements: readonly Requirement[] = [
  { package: 'redis-server', file: 'redis-server', backend: 'redis' },
  { package: 'redis-tools', file: 'redis-cli', backend: 'redis' },
  { package: 'default-jre-headless', file: 'java', backend: 'zookeeper' },
  { package: 'zookeeper', file: 'zookeeper.jar', backend: 'zookeeper' },
  { package: 'libslf4j-java', file: 'slf4j-simple.jar', backend: 'zookeeper' },
  { package: 'etcd-server', file: 'etcd', backend: 'etcd' },
  { package: 'etcd-client', file: 'etcdctl', backend: 'etcd' },
  { package: 'postgresql', file: 'postgres', backend: 'postgres' },
  { package: 'pgbouncer', file: 'pgbouncer', backend: 'postgres' },
  { package: 'gcc', file: 'gcc' },
  { package: 'iproute2', file: 'ip' },
  { package: 'openssl', file: 'openssl' },
]

/** What no test needs, but whoever looks at pages as readers do. */
export const browser: Requirement = { package: 'chromium', file: 'chromium' }

/** The backends whose tests need none of it. */
const serverless = ['memory', 'sqlite']

/** What is required for the tests of these backends; of all backends if none is named. */
export function requirementsOf(backends: readonly string[] | undefined): readonly Requirement[] {
  if (!needServers(backends)) return []
  return requirements.filter(({ backend }) => !backend || !backends || backends.includes(backend))
}

/** Whether the tests of these backends need servers; those of all backends if none is named. */
export function needServers(backends: readonly string[] | undefined): boolean {
  return !backends || backends.some((backend) => !serverless.includes(backend))
}

/** The packages that are not there. */
export function missingPackages(required: readonly Requirement[]): string[] {
  return required.filter(({ file }) => !locate(file)).map((requirement) => requirement.package)
}

/** The path of a file that is required: a program, or a library. */
export function findRequired(file: string): string {
  const path = locate(file)
  if (path) return path
  const packages = requirements.filter((each) => each.file === file).map((each) => each.package)
  throw new Error(explainMissing(packages))
}

export function explainMissing(packages: readonly string[]): string {
  const install = `sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`
  return `${packages.join(', ')} must be installed: ${install}`
}

/** Also in folders that are on no path, or on root's only: `ip`, Debian's `postgres`, and Java's libraries. */
export function locate(file: string): string | undefined {
  const path = (process.env.PATH ?? '').split(delimiter)
  const more = [
    '/usr/sbin',
    '/sbin',
    '/usr/share/java',
    ...globSync('/usr/lib/postgresql/*/bin').toSorted().toReversed(),
  ]
  return [...path, ...more].map((folder) => join(folder, file)).find(isUsable)
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, path.endsWith('.jar') ? constants.R_OK : constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
