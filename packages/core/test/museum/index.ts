import type { Piece } from './boundary.ts'
import { deadlines } from './deadlines.ts'
import { elections } from './elections.ts'
import { names } from './names.ts'
import { owners } from './owners.ts'
import { queues } from './queues.ts'
import { tokens } from './tokens.ts'

/** The museum: backends with the defects that locks have, so that it is known that the suite finds them. */
export const pieces: readonly Piece[] = [...deadlines, ...tokens, ...owners, ...queues, ...names, ...elections]
