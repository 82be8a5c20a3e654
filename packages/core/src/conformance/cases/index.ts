import type { Case } from '../case.ts'
import { ambiguity } from './ambiguity.ts'
import { deadline } from './deadline.ts'
import { elections } from './elections.ts'
import { exclusion } from './exclusion.ts'
import { fencing } from './fencing.ts'
import { handover } from './handover.ts'
import { liveness } from './liveness.ts'
import { loss } from './loss.ts'
import { observations } from './observations.ts'
import { queue } from './queue.ts'
import { input } from './input.ts'
import { names } from './names.ts'
import { query } from './query.ts'
import { release } from './release.ts'
import { resources } from './resources.ts'
import { request } from './request.ts'
import { requestLoss } from './request-loss.ts'
import { requestOrder } from './request-order.ts'
import { requestSignal } from './request-signal.ts'
import { requestSteal } from './request-steal.ts'
import { sets } from './sets.ts'
import { succession } from './succession.ts'

/** Every case, in the order of the contract. */
export const cases: readonly Case[] = [
  ...exclusion,
  ...fencing,
  ...deadline,
  ...release,
  ...succession,
  ...request,
  ...requestOrder,
  ...requestSignal,
  ...requestSteal,
  ...requestLoss,
  ...names,
  ...query,
  ...input,
  ...sets,
  ...ambiguity,
  ...queue,
  ...liveness,
  ...loss,
  ...resources,
  ...elections,
  ...observations,
  ...handover,
]
