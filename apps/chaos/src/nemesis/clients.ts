import { setTimeout as sleep } from 'node:timers/promises'
import type { Chance } from '../chance.ts'
import type { Clock } from '../clock/shim.ts'
import type { Member } from '../crew/member.ts'
import type { Fault, Field } from './fault.ts'

type Who = 'holder' | 'waiter'

/** What may befall clients that have processes of their own. */
export function processFaults(clock: Clock | undefined): Fault[] {
  return [
    ...(['holder', 'waiter'] as const).flatMap((who): Fault[] => [
      {
        kind: `${who} stopped`,
        lasts: [0.4, 2],
        weight: who === 'holder' ? 3 : 1,
        async inflict(field, chance) {
          const found = find(who, field, chance)
          found?.process?.stop()
          return found && { target: found.client, heal: async () => found.process?.continue() }
        },
      },
      {
        kind: `${who} killed`,
        lasts: [0, 0],
        async inflict(field, chance) {
          const found = find(who, field, chance)
          found?.process?.kill()
          return found && { target: found.client }
        },
      },
    ]),
    ...(clock ? [jump('clients’ wall clock jumps', clock, { breaks: false })] : []),
  ]
}

/** What may also befall clients that are in this process. */
export const stall: Fault = {
  kind: 'event loop stalled',
  lasts: [0, 0],
  async inflict(field, chance) {
    const found = find('holder', field, chance)
    const ms = chance.between(0.3, 1.6) * field.ttl
    found?.send({ is: 'stall', ms })
    return found && { target: found.client, heal: () => sleep(ms) }
  },
}

interface Jump {
  readonly breaks: boolean
  /** What has to be waited for after the clock is right again. */
  readonly ready?: () => Promise<void>
  /** Whether it lasts until no time is ahead any more that was read from the clock: what forgets it would go back. */
  readonly catchesUp?: boolean
}

/** Forward or back by up to three ttls, and the same way again when it heals. */
export function jump(kind: string, clock: Clock, { breaks, ready, catchesUp = false }: Jump): Fault {
  return {
    kind,
    lasts: [0.5, 2],
    breaks,
    async inflict({ ttl }, chance) {
      const by = Math.round(chance.between(-3, 3) * ttl)
      await clock.set(by)
      const heal = async () => {
        await clock.set(0)
        await ready?.()
        if (catchesUp && by > 0) await sleep(by)
      }
      return { target: `${by} ms`, heal }
    },
  }
}

function find(who: Who, { crew, ledger }: Field, chance: Chance): Member | undefined {
  const candidates = crew.members.filter(({ client, alive }) => {
    if (!alive || client.startsWith('prober')) return false
    return who === 'holder' ? ledger.isHolding(client) : ledger.isWaiting(client)
  })
  // A draw in any case, so that what comes later does not depend on who is there now.
  const at = chance.unit()
  return candidates[Math.floor(at * candidates.length)]
}
