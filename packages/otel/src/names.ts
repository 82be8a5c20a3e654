import type { Attempt } from '@locks/core'
import { guarded } from './channels.ts'
import type { NameFor } from './config.ts'

/** Longer names are cut: a name may have any length, and a label should not. */
const longest = 100

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/giu
/** Letters and digits, at least one of them a digit. */
const word = /[\p{L}\p{N}]*\p{N}[\p{L}\p{N}]*/gu
const hex = /^[0-9a-f]{8,}$/iu
const numbered = /^(\p{L}+)\p{N}+$/u

/**
 * A name with `?` in the place of what looks like an id: UUIDs, numbers, and words with digits in them (`order:42` and
 * `order:43` are `order:?`, `shard7` is `shard?`, `sha/9f86d081884c7d65` is `sha/?`). Words without a digit stay, so names
 * that are made of what people have entered need a function of your own.
 */
export function withoutIds(name: string): string {
  return name.replace(uuid, '?').replace(word, (found) => {
    const kind = hex.test(found) ? undefined : numbered.exec(found)?.[1]
    return kind === undefined ? '?' : `${kind}?`
  })
}

/** What the names of a call are, each once, in order; none where they are left out. */
export function namesOf(attempt: Attempt, signal: 'metric' | 'span', nameFor: NameFor | undefined): string[] {
  if (!nameFor) return []
  const names = new Set<string>()
  // What is told of a lock does not depend on a function that fails: the name is left out.
  guarded(() => {
    for (const name of attempt.names) {
      const shown = nameFor(name, signal)
      // Attributes are Unicode; names may hold half of a pair, and a cut may make one.
      if (shown !== undefined) names.add(shown.slice(0, longest).toWellFormed())
    }
  })
  return [...names]
}
