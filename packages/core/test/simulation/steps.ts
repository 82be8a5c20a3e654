import type { Client } from './client.ts'
import { wishes, type Schedule, type Step } from './schedule.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

/** What a schedule is played on. */
export interface Stage {
  readonly world: World
  readonly server: Server
  readonly schedule: Schedule
  readonly everybody: readonly Client[]
  readonly clients: readonly Client[]
  start(slot: number): void
}

/** Does what a step says; time goes by afterwards. */
export function take(step: Step, stage: Stage): void {
  const { world, server, everybody } = stage
  if (step.do === 'pass') return
  if (step.do === 'stop store') {
    server.machine.stop(step.ms, false)
    for (const { line } of everybody) line.calm = false
  } else if (step.do === 'evict') {
    server.evict(step.name)
    for (const { line } of everybody) line.calm = false
  } else {
    const client = stage.clients[step.client] as Client
    if (befell(step, client, stage)) return
    // Its program acts when its process can run.
    client.machine.receive(world.now, () => act(step, client))
    if (step.do === 'close') stage.start(step.client)
  }
}

type ToClient = Extract<Step, { readonly client: number }>

/** What happens to a client without its doing; false if it is something that the client does. */
function befell(step: ToClient, client: Client, stage: Stage): boolean {
  const { machine, line } = client
  switch (step.do) {
    case 'stop':
      machine.stop(step.ms, step.ms % 2 === 0)
      return true
    case 'sleep':
      machine.sleep(step.ms)
      return true
    case 'set clock':
      machine.setWallClock(step.ms % 2 === 0 ? step.ms : -step.ms)
      return true
    case 'ambush':
      machine.ambush(step.ms % 8, step.ms)
      return true
    case 'crash':
      machine.crash()
      stage.start(step.client)
      return true
    case 'cut':
    case 'reset':
    case 'heal':
      line[step.do]()
      return true
    case 'deny':
      line.deny('remove')
      return true
    case 'expel':
      line.calm = false
      stage.server.expel(client.clientId)
      return true
    case 'weather':
      line.turn(step.way, step.how, step.ms)
      return true
    case 'fate':
      line.doom(step.way, step)
      return true
    default:
      return false
  }
}

function act(step: ToClient, client: Client): void {
  switch (step.do) {
    case 'acquire':
      return client.acquire(wishes[step.wish])
    case 'acquire within':
      return client.acquire(wishes[step.wish], Math.max(1, step.ms))
    case 'request':
      return client.request(wishes[step.wish], step.ms % 2 === 0 ? undefined : step.ms)
    case 'crowd':
      return client.crowd(wishes[step.wish], step.ms)
    case 'try':
      return client.try(wishes[step.wish])
    case 'steal':
      return client.steal()
    case 'release':
      return client.release()
    case 'release and try':
      client.release()
      return client.try(wishes.a)
    case 'release and query':
      client.release()
      return client.query()
    case 'finish':
      return client.finish('value')
    case 'fail':
      return client.finish('error')
    case 'abort':
      return client.abort()
    case 'look':
      return client.look()
    case 'busy':
      client.machine.keepBusy(step.ms)
      return client.look()
    case 'close':
      void client.close()
  }
}
