// npm run repository -- OWNER/NAME: says in every package.json that is published where its source is on GitHub. npm attests
// provenance only where that is right. `--check`: ends with 1 unless it is said, and the same everywhere.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'

interface Manifest extends Record<string, unknown> {
  private?: boolean
}

const [wanted = ''] = process.argv.slice(2)
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Manifest
const manifests = globSync('packages/*/package.json').filter((file) => !read(file).private)

/** The three fields, for the package in this folder. */
function fieldsOf(place: string, folder: string) {
  return {
    homepage: `https://github.com/${place}/tree/main/${folder}#readme`,
    bugs: { url: `https://github.com/${place}/issues` },
    repository: { type: 'git', url: `git+https://github.com/${place}.git`, directory: folder },
  }
}

/** Behind the licence, where npm's own order has them. */
function withFields(manifest: Manifest, fields: Manifest): Manifest {
  const others = Object.entries(manifest).filter(([name]) => !(name in fields))
  const at = others.findIndex(([name]) => name === 'license')
  return Object.fromEntries([...others.slice(0, at), ...Object.entries(fields), ...others.slice(at)])
}

if (wanted === '--check') {
  const places = manifests.map((file) => {
    const { url = '' } = (read(file).repository ?? {}) as { url?: string }
    return /github\.com\/(.+)\.git$/.exec(url)?.[1] ?? ''
  })
  const [place = ''] = places
  const same = (file: string) =>
    Object.entries(fieldsOf(place, dirname(file))).every(
      ([name, value]) => JSON.stringify(read(file)[name]) === JSON.stringify(value),
    )
  if (place === '' || !manifests.every(same)) {
    console.error(
      'Nothing can be published before every package says where its source is: npm run repository -- OWNER/NAME',
    )
    process.exitCode = 1
  }
} else if (/^[\w.-]+\/[\w.-]+$/.test(wanted)) {
  for (const file of manifests) {
    const manifest = withFields(read(file), fieldsOf(wanted, dirname(file)))
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
  }
  console.log(`${manifests.length} packages: https://github.com/${wanted}`)
} else {
  console.error('Usage: npm run repository -- OWNER/NAME | --check')
  process.exitCode = 2
}
