import type { Release } from './subject.ts'

/** As raw drivers are measured: what is free is granted at once, and nothing waits. */
export async function free(attempt: Promise<Release | null>): Promise<Release> {
  const release = await attempt
  if (!release) throw new Error('it is not free')
  return release
}
