// npm run api: writes what each package exports, with types, into api/, where a review sees a change of it.
//   --check   writes nothing; ends with 1 where the report differs
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { run } from './spawn.mjs'

interface Manifest {
  name: string
  private?: boolean
  publishConfig?: { exports?: Record<string, string | { types?: string }> }
}

const isCheck = process.argv.includes('--check')
const reports = resolve('api')
const temporary = mkdtempSync(join(tmpdir(), 'locks-api-'))

interface Entry {
  readonly manifest: string
  readonly types: string
  /** `core`, `core.backend`. */
  readonly report: string
}

function entriesOf(file: string): Entry[] {
  const { name, private: isPrivate, publishConfig } = JSON.parse(readFileSync(file, 'utf8')) as Manifest
  if (isPrivate) return []
  return Object.entries(publishConfig?.exports ?? {}).flatMap(([path, target]) => {
    if (typeof target === 'string' || !target.types) return []
    const report = `${name.replace('@locks/', '')}${path.slice(1).replaceAll('/', '.')}`
    return [{ manifest: resolve(file), types: resolve(dirname(file), target.types), report }]
  })
}

function isUnchanged({ manifest, types, report }: Entry): boolean {
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: dirname(manifest),
      mainEntryPointFilePath: types,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            module: 'nodenext',
            target: 'es2023',
            lib: ['es2024', 'esnext.disposable'],
            types: ['node'],
          },
          files: [types],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${report}.api.md`,
        reportFolder: reports,
        reportTempFolder: temporary,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.None },
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: manifest,
  })
  const { apiReportChanged, errorCount } = Extractor.invoke(config, {
    localBuild: !isCheck,
    showVerboseMessages: false,
    messageCallback: (message) => {
      // What differs is said once, below.
      if (message.logLevel !== ExtractorLogLevel.Error) message.handled = true
    },
  })
  if (errorCount > 0) throw new Error(`${report}: the types cannot be read`)
  return !apiReportChanged
}

try {
  const { code } = await run('turbo', ['run', 'build', '--output-logs=errors-only'], { stdio: ['ignore', 2, 2] })
  if (code !== 0) process.exit(1)
  mkdirSync(reports, { recursive: true })
  const entries = globSync('packages/*/package.json').toSorted().flatMap(entriesOf)
  const changed = entries.filter((entry) => !isUnchanged(entry)).map(({ report }) => report)
  const files = globSync('api/*.api.md').map((file) => file.slice('api/'.length, -'.api.md'.length))
  const orphans = files.filter((file) => !entries.some(({ report }) => report === file))
  if (!isCheck) for (const orphan of orphans) rmSync(join(reports, `${orphan}.api.md`))
  const different = [...changed, ...orphans]
  if (different.length === 0) console.log(`api: ${entries.length} entries, as reported`)
  else if (!isCheck) console.log(`api: written: ${different.join(', ')}`)
  else {
    console.error(
      `The public API differs from its report: ${different.join(', ')}. If that is meant: npm run api, and commit it.`,
    )
    process.exitCode = 1
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
