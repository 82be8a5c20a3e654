/** The locks that are fought for, each with a resource that checks tokens and one that does not. */
export const locks = ['a', 'b'] as const

export const semaphore = { name: 'pool', permits: 3 } as const

/** Held now and then, and otherwise only tried: for the chance of success. */
export const tried = 'tried'

export const all: readonly string[] = [...locks, semaphore.name, tried]

export const namespace = 'chaos'
