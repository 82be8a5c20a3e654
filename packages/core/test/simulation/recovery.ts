import type { Client } from './client.ts'
import { longest } from './schedule.ts'
import type { Stage } from './steps.ts'

/** How long a client holds what it is given in the end, ms. */
const hold = 20

/** Milliseconds that a lease may last, as the store grants it and by the slowest clock. */
const leaseOf = ({ schedule: { setting } }: Stage): number => 1.1 * Math.ceil(setting.ttl / 1_000) * 1_000

/** All is healed: then everybody has to be served or told, and nothing may stay behind. */
export async function recover(stage: Stage): Promise<void> {
  const { world, server, everybody, clients } = stage
  const { connectTimeout, leases, heals } = stage.schedule.setting
  // The first client may stay behind a line that is broken in any way: that must not keep the others.
  const first = heals === 'all' ? 0 : 1
  const [sound, broken] = [clients.slice(first), clients.slice(0, first)]
  world.tell(() => '--- healed')
  for (const { line } of everybody) if (!broken.some((client) => client.line === line)) line.heal()
  await running(stage)
  const lease = leaseOf(stage)
  const patience = 2 * connectTimeout + 5_000
  // Orphans go with their lease, or with the audit that finds them; a session that is being opened may have to be given
  // up first; and everybody waits for everybody else.
  const places = broken.reduce((sum, { calls }) => sum + calls.size, 4)
  const end = world.now + places * lease + patience
  const busy = (client: Client) => client.calls.size + client.held.length + client.running.length > 0
  while (sound.some(busy) && world.now < end) {
    for (const client of clients) client.machine.receive(world.now, () => client.letGo())
    await world.pass(hold)
  }
  for (const { calls, machine } of sound) {
    for (const { id } of calls)
      world.violated('liveness', `${machine.name}: ${id} is pending long after all was healed`)
  }
  if (broken.length > 0) return
  // What is on its way still arrives.
  await world.pass(longest)
  const empty = () => server.live.length === 0
  // What nobody knows of dies of itself, or an audit finds it within two ttls.
  if (!(await world.until(world.now + (leases === 'session' ? 2 : 1) * lease + 2_000, empty))) {
    const left = server.live.map(({ request: { id } }) => id)
    world.violated('residue', `nobody wants ${left.join(', ')}, and the store keeps it`)
  }
  // The heartbeat and the audits.
  const idle = leases === 'session' ? 2 : 0
  const quiet = () => clients.every(({ machine }) => machine.timers <= idle)
  if (!(await world.until(world.now + 4 * lease + patience, quiet))) {
    const busiest = clients.map(({ machine }) => `${machine.name} ${machine.timers}`)
    world.violated('residue', `timers run although nothing is wanted: ${busiest.join(', ')}`)
  }
}

/** All clients are closed: nothing of them may be left, whether the store has heard of it or not. */
export async function residue(stage: Stage): Promise<void> {
  const { world, server, everybody, clients } = stage
  for (const client of clients) client.machine.receive(world.now, () => void client.close())
  await running(stage)
  // What is on its way still arrives.
  await world.pass(longest + leaseOf(stage) + 1_000)
  for (const { machine, calls, closed } of everybody) {
    if (!machine.alive) continue
    if (!closed || calls.size > 0)
      world.violated('close', `${machine.name}: is not closed, or has calls that are pending`)
    if (machine.timers > 0) world.violated('close', `${machine.name}: has ${machine.timers} timers after its close`)
  }
  if (server.live.length > 0) world.violated('residue', 'the store keeps what belongs to clients that are gone')
  world.end()
}

/** Every process runs again, and has done what it was to do meanwhile. */
async function running({ world }: Stage): Promise<void> {
  for (;;) {
    const stopped = Math.max(...world.machines.map(({ stoppedUntil }) => stoppedUntil))
    await world.until(Math.max(stopped, world.now), () => false)
    if (world.machines.every(({ stoppedUntil }) => stoppedUntil <= world.now)) return
  }
}
