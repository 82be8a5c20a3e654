import type { Lease } from './lease.ts'

/** The leases that were taken by force, against whoever they robbed within this manager, in whatever order the answers come. */
export class Thieves {
  readonly #all = new Set<Lease>()

  /** Before the thief is told of its grant: whoever is robbed knows it no later. */
  add(thief: Lease, leases: Iterable<Lease>): void {
    this.#all.add(thief)
    for (const lease of [...leases]) tellIfRobbed(lease, thief)
  }

  /** After a lease was granted, which may have been robbed before. */
  meet(lease: Lease): void {
    for (const thief of this.#all) tellIfRobbed(lease, thief)
  }

  delete(lease: Lease): void {
    this.#all.delete(lease)
  }
}

/** A name that two leases have belongs to the later of their grants, if it was taken by force. */
function tellIfRobbed(lease: Lease, thief: Lease): void {
  if (lease === thief) return
  const robbed = lease.request.names.some((name, at) => {
    const taken = thief.request.names.indexOf(name)
    const [own, other] = [lease.tokens[at], thief.tokens[taken]]
    return taken >= 0 && (own === undefined || other === undefined || own < other)
  })
  if (robbed) lease.lose('stolen')
}
