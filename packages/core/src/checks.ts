import { invalid, shown } from './errors.ts'

/** What an option may be: checked alike whether it comes from code or, as text, from a URL. */
export interface Check<T> {
  /** What a URL's text means; the value is then checked as one from code. */
  fromText(text: string): unknown
  check(value: unknown, label: string): T
}

/** By name, all options that there are. */
export type Checks = Readonly<Record<string, Check<unknown>>>
export type Checked<C extends Checks> = {
  readonly [K in keyof C]?: (C[K] extends Check<infer T> ? T : never) | undefined
}

/** The longest time that a timer can wait for, about 24.8 days. */
export const longestTimer = 2_147_483_647

export function milliseconds(min: number, max: number): Check<number> {
  const range = `a number of milliseconds from ${min} to ${max}`
  return numeric(range, (value) => Number.isFinite(value) && value >= min && value <= max)
}

export function integer(min: number, max: number): Check<number> {
  const range = `a whole number from ${min} to ${max}`
  return numeric(range, (value) => Number.isSafeInteger(value) && value >= min && value <= max)
}

export const boolean: Check<boolean> = {
  fromText: (given) => (given === 'true' ? true : given === 'false' ? false : given),
  check(value, label) {
    if (typeof value !== 'boolean') throw invalid(`${label} must be true or false; got ${shown(value)}`)
    return value
  },
}

export function text(maxLength: number): Check<string> {
  return {
    fromText: (given) => given,
    check(value, label) {
      if (typeof value === 'string' && value.length <= maxLength) return value
      const got = typeof value === 'string' ? `${value.length} characters` : shown(value)
      throw invalid(`${label} must be a string of at most ${maxLength} characters; got ${got}`)
    },
  }
}

export function oneOf<const T extends string>(...values: readonly T[]): Check<T> {
  return {
    fromText: (given) => given,
    check(value, label) {
      const found = values.find((known) => known === value)
      if (found === undefined)
        throw invalid(`${label} must be one of ${values.map(shown).join(', ')}; got ${shown(value)}`)
      return found
    },
  }
}

/** An option that only code can give. */
export function instance<T>(what: string, is: (value: unknown) => value is T): Check<T> {
  return {
    fromText: (given) => given,
    check(value, label) {
      if (!is(value)) throw invalid(`${label} must be ${what}; got ${shown(value)}`)
      return value
    },
  }
}

/** Checks an options object: what is unknown or wrong is an error that says what is known or allowed. */
export function checkOptions<const C extends Checks>(given: unknown, checks: C, prefix = ''): Checked<C> {
  if (given === undefined || given === null) return {}
  if (typeof given !== 'object') throw invalid(`options must be an object; got ${shown(given)}`)
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(given)) {
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined
    if (!check) throw invalid(unknownOption(prefix + key, checks))
    if (value !== undefined) out[key] = check.check(value, prefix + key)
  }
  return out as Checked<C>
}

/** The options in a URL's query string, which have the names and the values that they have in code. */
export function optionsFromQuery<const C extends Checks>(query: string, checks: C): Checked<C> {
  const given: Record<string, unknown> = {}
  for (const [key, value] of new URLSearchParams(query)) {
    if (Object.hasOwn(given, key)) throw invalid(`option ${shown(key)} stands twice in the URL`)
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined
    if (!check) throw invalid(`${unknownOption(key, checks)}; those of the manager, such as ttl, are given in code`)
    given[key] = check.fromText(value)
  }
  return checkOptions(given, checks)
}

function unknownOption(name: string, checks: Checks): string {
  const known = Object.keys(checks)
  return `unknown option ${shown(name)}; ${known.length === 0 ? 'there are none' : `known are ${known.join(', ')}`}`
}

function numeric(range: string, allowed: (value: number) => boolean): Check<number> {
  return {
    fromText: (given) => (given.trim() === '' ? given : Number(given)),
    check(value, label) {
      if (typeof value === 'number' && allowed(value)) return value
      throw invalid(`${label} must be ${range}; got ${shown(value)}`)
    },
  }
}
