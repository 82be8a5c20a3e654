import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { expect, onTestFinished, test, vi } from 'vitest'
import { preflight, preflightBrowser, type Machine } from '../src/preflight.ts'
import { missingPackages, requirements, requirementsOf, type Requirement } from '../src/requirements.ts'

const packages = requirements.map((requirement) => requirement.package)

/** A machine without anything, and what has been installed on it. */
function bare(canInstall: boolean): Machine & { installed: readonly string[] } {
  const machine = {
    installed: [] as readonly string[],
    missing: (required: readonly Requirement[]) =>
      required.map((each) => each.package).filter((name) => !machine.installed.includes(name)),
    canInstall: () => canInstall,
    install: (names: readonly string[]) => void (machine.installed = names),
  }
  return machine
}

test('what is missing is installed where that can be done', () => {
  const machine = bare(true)
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  expect(preflight(undefined, machine)).toBeUndefined()
  expect(machine.installed).toEqual(packages)
  expect(said).toHaveBeenCalledTimes(1)
  expect(preflight(undefined, machine)).toBeUndefined()
  expect(said).toHaveBeenCalledTimes(1)
})

test('otherwise one line says how to', () => {
  const line = preflight(['sqlite', 'redis'], bare(false))
  const needed = requirementsOf(['redis']).map((each) => each.package)
  expect(line).toContain(`sudo apt-get install -y --no-install-recommends ${needed.join(' ')}`)
  expect(line).not.toContain('\n')
})

test('what does not install is missing', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  expect(preflight(undefined, { ...bare(true), install: () => {} })).toContain('sudo apt-get install')
})

test('a backend needs what its own tests need', () => {
  const machine = bare(true)
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  expect(preflight(['redis'], machine)).toBeUndefined()
  expect(machine.installed).toContain('redis-server')
  expect(machine.installed).toContain('openssl')
  expect(machine.installed).not.toContain('zookeeper')
})

test('backends without a server need nothing', () => {
  const machine = bare(true)
  expect(preflight(['memory', 'sqlite'], machine)).toBeUndefined()
  expect(machine.installed).toEqual([])
})

test('a browser is installed for those who look at pages, and for no test', () => {
  const machine = bare(true)
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  expect(preflight(undefined, machine)).toBeUndefined()
  expect(machine.installed).not.toContain('chromium')
  expect(preflightBrowser(machine)).toBeUndefined()
  expect(machine.installed).toEqual(['chromium'])
  expect(preflightBrowser(bare(false))).toContain('sudo apt-get install -y --no-install-recommends chromium')
})

test('an executable that is on no path is missing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'locks-path-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  vi.stubEnv('PATH', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(missingPackages(requirements)).toContain('redis-server')
  expect(missingPackages(requirements)).toContain('redis-tools')
  symlinkSync(process.execPath, join(folder, 'redis-cli'))
  expect(missingPackages(requirements)).toContain('redis-server')
  expect(missingPackages(requirements)).not.toContain('redis-tools')
})
