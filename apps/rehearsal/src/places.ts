import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What is worth keeping from one rehearsal to the next. */
export const cache = join(root, 'node_modules', '.cache', 'rehearsal')

/** The programs that users of the packages are made of. */
export const programs = fileURLToPath(new URL('../programs', import.meta.url))
