import type { Case } from '../case.ts'
import { exclusion } from './exclusion.ts'
import { release } from './release.ts'

/** Every case, in the order of the contract. */
export const cases: readonly Case[] = [...exclusion, ...release]
