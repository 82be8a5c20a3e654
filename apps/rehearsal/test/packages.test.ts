import { expect, test } from 'vitest'
import { table } from '../src/outcome.ts'
import { lowestOf, publicPackages } from '../src/packages.ts'
import { root } from '../src/places.ts'
import { subjects } from '../src/subjects.ts'

test('every public package is tried out, and every driver has a range with a lowest version', () => {
  const manifests = publicPackages(root).map(({ manifest }) => manifest)
  expect(Object.keys(subjects).toSorted()).toEqual(manifests.map(({ name }) => name).toSorted())
  for (const { name, peerDependencies = {} } of manifests) {
    const driver = subjects[name]?.driver
    if (driver !== undefined) expect(lowestOf(peerDependencies[driver] ?? '')).toMatch(/^\d+\.\d+\.\d+$/)
  }
})

test('a range without a lowest version is refused', () => {
  expect(lowestOf('^8.23.0')).toBe('8.23.0')
  expect(() => lowestOf('>=8')).toThrow('no lowest version')
})

test('the table has a row for each package, and shows what failed', () => {
  const outcomes = [
    { row: 'a', column: 'install', took: 1_000 },
    { row: 'a', column: 'Node 22', took: 200 },
    { row: 'a', column: 'Node 22', took: 3, problem: 'it broke' },
    { row: 'bc', column: 'install', took: 4, problem: 'not found' },
  ]
  expect(table(outcomes)).toBe('    install  Node 22\na   ok 1.0   ok 0.2, FAILED\nbc  FAILED')
})
