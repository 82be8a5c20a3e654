import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/** A decision of core, taken out or turned round. */
export interface Mutant {
  readonly id: string
  /** What is wrong with it. */
  readonly defect: string
  /** In `packages/core/src`. */
  readonly file: string
  /** Stands there exactly once. */
  readonly text: string
  readonly becomes: string
  /** One that shows it soon. */
  readonly seed?: number
  /** Which broken promises may show it. */
  readonly shows: readonly string[]
}

const sources = new URL('../../src/', import.meta.url)

/** Loads this module and all that it imports with one line of core changed, apart from what is loaded already. */
export async function importMutated<T>(module: URL, { id, file, text, becomes }: Mutant): Promise<T> {
  const target = new URL(file, sources)
  const source = readFileSync(fileURLToPath(target), 'utf8')
  if (source.split(text).length !== 2) throw new Error(`${file} does not say once: ${text}`)
  const mark = `mutant=${id}`
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context)
      const from = context.parentURL ?? ''
      const ours = found.url.startsWith('file:') && !found.url.includes('/node_modules/')
      return ours && from.endsWith(mark) ? { ...found, url: `${found.url}?${mark}` } : found
    },
    load(url, context, next) {
      const loaded = next(url, context)
      if (url !== `${target.href}?${mark}`) return loaded
      return { ...loaded, source: source.replace(text, () => becomes) }
    },
  })
  try {
    return (await import(`${module.href}?${mark}`)) as T
  } finally {
    hooks.deregister()
  }
}
