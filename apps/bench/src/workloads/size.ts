import { gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { entrants, tableOf, type Workload } from '../bench.ts'
import type { Bundle } from '../subjects/subject.ts'

/** What an application carries: everything of the packages, in one file, minified and compressed, without the driver. */
export const size: Workload = {
  name: 'size',
  async measure(bench) {
    const { able } = entrants(bench, [])
    const sized = able.filter(({ bundle }) => bundle)
    const facts = new Map<string, Readonly<Record<string, number>>>()
    const values = new Map<string, readonly number[]>()
    for (const { name, bundle } of sized) {
      const code = await bundled(bundle as Bundle)
      facts.set(name, { 'kB minified': code.length / 1_000 })
      values.set(name, [gzipSync(code, { level: 9 }).length / 1_000])
    }
    const about = { workload: 'size', case: 'minified and gzipped', unit: 'kB' } as const
    return [tableOf(bench, about, { able: sized, unable: [] }, { values, failed: new Map() }, facts)]
  },
}

async function bundled({ packages, external }: Bundle): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: {
      contents: packages.map((name, at) => `import * as all${at} from '${name}'; console.log(all${at})`).join('\n'),
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
    },
    external: [...external],
    conditions: ['@locks/source'],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    write: false,
    logLevel: 'error',
  })
  return outputFiles[0]?.contents ?? new Uint8Array()
}
