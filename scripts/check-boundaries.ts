// Reads every import of the packages, apps and examples, and the dependencies in every package.json, and holds them to the rules
// that no linter can express. Each rule is one `report` below.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import process from 'node:process'
import { parseSync, Visitor } from 'oxc-parser'

interface Manifest {
  name: string
  private?: boolean
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}

interface Package extends Manifest {
  dir: string
  /** What a user's install brings along. */
  runtime: string[]
}

const core = '@locks/core'
/** Takes an adapter when a URL asks for it: every adapter is a package that may be there, and none is loaded before. */
const cli = '@locks/cli'
const packages = globSync('{packages,apps,examples}/*/package.json').map((file): Package => {
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
  const { dependencies, optionalDependencies, peerDependencies } = manifest
  const runtime = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
  return { ...manifest, dir: dirname(file), runtime }
})
const privateNames = packages.filter((pkg) => pkg.private).map(({ name }) => name)

let failures = 0
function report(where: string, what: string) {
  console.error(`${where}: ${what}`)
  failures++
}

/** Packages stand on core, and on nothing else of ours but what is private; only apps and the cli put packages together. */
function mayUse({ name, dir }: Package, target: string) {
  const own = [name, core, ...privateNames]
  return !target.startsWith('@locks/') || dir.startsWith('apps/') || name === cli || own.includes(target)
}

function isAdapter(target: string) {
  return target.startsWith('@locks/') && ![core, cli, ...privateNames].includes(target)
}

for (const pkg of packages) {
  const manifest = join(pkg.dir, 'package.json')
  for (const dependency of [...pkg.runtime, ...Object.keys(pkg.devDependencies ?? {})]) {
    if (!mayUse(pkg, dependency)) report(manifest, `${pkg.name} must not depend on ${dependency}`)
  }
  if (pkg.name === core && pkg.runtime.length > 0) {
    report(manifest, `${core} has no runtime dependency, but names ${pkg.runtime.join(', ')}`)
  }
  for (const file of globSync(`${pkg.dir}/{src,test}/**/*.ts`)) {
    checkFile(file, pkg, !pkg.private && file.startsWith(join(pkg.dir, 'src/')))
  }
}

function checkFile(file: string, pkg: Package, published: boolean) {
  const code = readFileSync(file, 'utf8')
  const { module, program, errors } = parseSync(file, code)
  const at = (offset: number) => `${file}:${code.slice(0, offset).split('\n').length}`
  for (const { message } of errors) report(file, message)
  if (errors.length > 0) return

  const fixed = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest),
    ...module.staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest)),
  ]
  const onDemand = module.dynamicImports.map(({ moduleRequest: { start, end } }) => {
    const literal = /^(['"`])([^$]*)\1$/.exec(code.slice(start, end))
    return literal && { start, value: literal[2] ?? '' }
  })
  for (const request of [...fixed, ...onDemand]) {
    if (request) checkImport(at(request.start), request.value)
  }
  for (const request of fixed) {
    if (published && request && pkg.name === cli && isAdapter(request.value)) {
      report(at(request.start), `${cli} loads ${request.value} when a URL asks for it: import() it`)
    }
  }

  if (published) {
    new Visitor({
      VariableDeclaration({ kind, start }) {
        if (kind.endsWith('using')) report(at(start), 'published sources have no `using`: Node 22 cannot parse it')
      },
    }).visit(program)
  }

  function checkImport(where: string, specifier: string) {
    if (specifier.startsWith('.')) {
      const target = resolve(dirname(file), specifier)
      if (relative(pkg.dir, target).startsWith('..')) {
        report(where, `'${specifier}' leaves the package: import the other one by name`)
      } else if (!existsSync(target)) {
        report(where, `there is no file '${specifier}': relative imports name the .ts file`)
      }
      return
    }
    const [scope = '', second = ''] = specifier.split('/')
    const target = scope.startsWith('@') ? `${scope}/${second}` : scope
    if (isBuiltin(specifier)) {
      if (!specifier.startsWith('node:')) report(where, `write 'node:${specifier}'`)
      return
    }
    if (/^@locks\/[^/]+\/(src|dist)\b/.test(specifier)) {
      report(where, `'${specifier}' is not public: use what the package exports`)
    } else if (!mayUse(pkg, target)) {
      report(where, `${pkg.name} must not import ${target}`)
    } else if (published && target !== pkg.name && !pkg.runtime.includes(target)) {
      const rule = pkg.name === core ? 'core stands on Node.js alone' : 'package.json names it for development at most'
      report(where, `'${target}' is missing from a user's install: ${rule}`)
    }
  }
}

console.log(`boundaries: ${packages.length} packages, ${failures === 0 ? 'no violation' : `violations: ${failures}`}`)
process.exitCode = failures > 0 ? 1 : 0
