import type { Workload } from '../bench.ts'
import { handoff } from './handoff.ts'
import { held } from './held.ts'
import { names } from './names.ts'
import { readers } from './readers.ts'
import { recovery } from './recovery.ts'
import { semaphore } from './semaphore.ts'
import { size } from './size.ts'
import { slowNetwork } from './slow-network.ts'
import { start } from './start.ts'
import { tryHeld } from './try-held.ts'
import { manyNames, uncontended } from './uncontended.ts'

export const workloads: readonly Workload[] = [
  uncontended,
  manyNames,
  tryHeld,
  slowNetwork,
  handoff,
  readers,
  semaphore,
  names,
  held,
  recovery,
  start,
  size,
]
