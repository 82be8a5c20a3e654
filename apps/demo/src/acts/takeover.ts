import type { Seller } from '../seller.ts'
import type { Stage } from '../stage.ts'
import { ms } from '../text.ts'
import type { Course } from './act.ts'

/** Awaits the first of the rivals that gets the lock of a holder that ended or stopped just now. */
export async function takeover(stage: Stage, rivals: readonly Seller[]): Promise<Course> {
  const since = performance.now()
  const inside = rivals.map((rival) => rival.first('inside').then(({ token }) => ({ rival, token })))
  const next = await stage.watch('nobody can sell', Promise.race(inside))
  const took = performance.now() - since
  stage.say(`${next.rival.name} had the lock ${ms(took)} later (ttl ${ms(stage.ttl)}), token ${next.token}.`)
  const late = took > stage.limit
  return {
    takeover: took,
    faults: late ? [`taken over after ${ms(took)}, later than the promised ${ms(stage.limit)}`] : [],
  }
}
