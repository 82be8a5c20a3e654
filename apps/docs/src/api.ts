import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application } from 'typedoc'
import { docs, moduleOf, published, read, root, site } from './files.ts'

interface Exports {
  readonly name: string
  readonly exports: Readonly<Record<string, string | { readonly '@locks/source'?: string; readonly types?: string }>>
}

/** The reference, out of the docstrings of everything that the packages export. Rejects what typedoc warns about. */
export async function writeReference(): Promise<void> {
  const modules = published.flatMap(modulesOf)
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: modules.map(({ file }) => join(root, file)),
    tsconfig: join(docs, 'tsconfig.api.json'),
    readme: 'none',
    excludePrivate: true,
    excludeInternal: true,
    disableGit: true,
    sourceLinkTemplate: '{path}',
    // Types that are used and not exported are for the packages themselves.
    validation: { notExported: false, invalidLink: true, notDocumented: false },
    skipErrorChecking: true,
    logLevel: 'Warn',
    // Those of the plugin.
    ...({
      outputs: [{ name: 'markdown', path: join(site, 'api') }],
      entryFileName: 'index',
      hidePageHeader: true,
      hideBreadcrumbs: true,
      useCodeBlocks: true,
      parametersFormat: 'table',
      indexFormat: 'table',
      sanitizeComments: true,
    } as object),
  })
  const project = await app.convert()
  if (!project) throw new Error('typedoc understood nothing')
  for (const child of project.children ?? []) {
    const source = child.sources?.[0]?.fullFileName
    const found = modules.find(({ file }) => source === join(root, file))
    if (found) child.name = found.page
  }
  // Lines change with every commit, and the reference would with them.
  for (const each of Object.values(project.reflections)) if ('sources' in each) delete each.sources
  await app.generateOutputs(project)
  if (app.logger.hasErrors()) throw new Error('typedoc found errors')
  for (const file of globSync('api/**/*.md', { cwd: site })) tame(join(site, file))
  for (const { page } of modules) entitle(join(site, 'api', page, 'index.md'), moduleOf(page))
}

/** What a package exports to its users: `@locks/core/quorum`, and its file. */
function modulesOf(folder: string): { page: string; file: string }[] {
  const { exports } = JSON.parse(read(`${folder}/package.json`)) as Exports
  return Object.entries(exports).flatMap(([path, target]) => {
    const source = typeof target === 'object' ? target['@locks/source'] : undefined
    // The museum is for this repository's own tests.
    if (source === undefined || (typeof target === 'object' && target.types === undefined)) return []
    const page = `${folder.replace('packages/', '')}${path.replace('.', '').replace('/', '-')}`
    return [{ page, file: join(folder, source) }]
  })
}

function entitle(file: string, title: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^# .*$/m, `# ${title}`))
}

/** Vue takes double braces for its own. */
function tame(file: string): void {
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replaceAll('{{', '&#123;&#123;'))
}
