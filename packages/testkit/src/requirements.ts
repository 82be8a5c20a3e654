import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'

interface Requirement {
  /** Debian's name of it. */
  readonly package: string
  /** What shows that it is there. */
  readonly executable: string
}

/** Everything that the tests need beyond Node.js. */
export const requirements: readonly Requirement[] = [
  { package: 'redis-server', executable: 'redis-server' },
  { package: 'redis-tools', executable: 'redis-cli' },
  { package: 'gcc', executable: 'gcc' },
  { package: 'iproute2', executable: 'ip' },
  { package: 'openssl', executable: 'openssl' },
]

/** The backends whose tests need none of it. */
const serverless = ['memory', 'sqlite']

/** Whether the tests of these backends need what is required; all backends if none is named. */
export function needServers(backends: readonly string[] | undefined): boolean {
  return !backends || backends.some((backend) => !serverless.includes(backend))
}

/** The packages that are not there. */
export function missingPackages(): string[] {
  return requirements.filter(({ executable }) => !isInstalled(executable)).map((requirement) => requirement.package)
}

export function isInstalled(executable: string): boolean {
  return locate(executable) !== undefined
}

/** The path of an executable that is required. */
export function findExecutable(executable: string): string {
  const path = locate(executable)
  if (path) return path
  const packages = requirements.filter((each) => each.executable === executable).map((each) => each.package)
  throw new Error(explainMissing(packages))
}

export function explainMissing(packages: readonly string[]): string {
  const install = `sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`
  return `The tests need ${packages.join(', ')}: ${install} (or do without: npm test -- --backend sqlite)`
}

/** In the system's folders as well: `ip` is in one that is on root's path only. */
function locate(executable: string): string | undefined {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
    .map((folder) => join(folder, executable))
    .find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
