import type { Act } from './act.ts'
import { killedHolder } from './killed-holder.ts'
import { noLock } from './no-lock.ts'
import { stoppedHolder, stoppedHolderUnfenced } from './stopped-holder.ts'
import { withLock } from './with-lock.ts'

export const acts: readonly Act[] = [noLock, withLock, killedHolder, stoppedHolder, stoppedHolderUnfenced]
