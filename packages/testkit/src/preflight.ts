import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { browser, explainMissing, locate, missingPackages, requirementsOf, type Requirement } from './requirements.ts'

/** What a preflight meets. */
export interface Machine {
  missing(required: readonly Requirement[]): readonly string[]
  canInstall(): boolean
  install(packages: readonly string[]): void
}

/**
 * Sees to it that what the tests of these backends need is there, and installs it where that takes no question: as
 * root on Debian. Returns what to tell the user if something is missing all the same.
 */
export function preflight(backends: readonly string[] | undefined, machine = thisMachine): string | undefined {
  return provide(requirementsOf(backends), machine)
}

/** The same for a browser. */
export function preflightBrowser(machine = thisMachine): string | undefined {
  return provide([browser], machine)
}

function provide(required: readonly Requirement[], machine: Machine): string | undefined {
  let missing = machine.missing(required)
  if (missing.length > 0 && machine.canInstall()) {
    console.error(`Installing what is needed: ${missing.join(', ')}`)
    machine.install(missing)
    missing = machine.missing(required)
  }
  return missing.length > 0 ? explainMissing(missing) : undefined
}

const thisMachine: Machine = {
  missing: missingPackages,
  canInstall: () => process.getuid?.() === 0 && locate('apt-get') !== undefined,
  install(packages) {
    const allow = forbidStarts()
    apt('update')
    apt('install', '-y', '--no-install-recommends', ...packages)
    allow()
  },
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // Standard output belongs to the tests.
  spawnSync('apt-get', ['-q', ...args], { env, stdio: ['ignore', 2, 2] })
}

/**
 * Keeps a package from starting its service, as Debian's redis-server would on port 6379, unless the machine has a
 * policy of its own. The policy forbids as long as this process lives: it does no harm if it is left behind.
 */
function forbidStarts(): () => void {
  const policy = '/usr/sbin/policy-rc.d'
  try {
    writeFileSync(policy, `#!/bin/sh\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`, {
      flag: 'wx',
      mode: 0o755,
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return () => {}
    throw error
  }
  return () => rmSync(policy)
}
