import { quorum } from '@locks/core/quorum'
import { memoryHarness, type Harness, type Wire, type Wired } from '@locks/core/conformance'

/** Three stores of this process as one. A line that fails is the client's line to all of them. */
export function quorumHarness(spoil: (wires: readonly Wire[]) => Promise<void> = async () => {}): Harness {
  const harnesses = ['a', 'b', 'c'].map((name) => memoryHarness(name))
  const backends = harnesses.map((harness) => harness.open())
  const backend = quorum(backends as Parameters<typeof quorum>[0])
  return {
    backend: 'quorum',
    capabilities: backend.capabilities,
    ttl: 1_000,
    open: async () => (await nodes(harnesses, spoil)).backend,
    async openWired() {
      const { backend: wiredBackend, wires } = await nodes(harnesses, spoil)
      return { backend: wiredBackend, wire: together(wires, spoil) }
    },
    async evict(namespace, name) {
      await Promise.all(harnesses.map((harness) => harness.evict(namespace, name)))
    },
  }
}

async function nodes(harnesses: readonly Harness[], spoil: (wires: readonly Wire[]) => Promise<void>) {
  const lines: Wired[] = await Promise.all(harnesses.map((harness) => harness.openWired()))
  const wires = lines.map(({ wire }) => wire)
  await spoil(wires)
  return { backend: quorum(lines.map(({ backend }) => backend)), wires }
}

function together(wires: readonly Wire[], spoil: (wires: readonly Wire[]) => Promise<void>): Wire {
  const all = (what: (wire: Wire) => Promise<void>) => async () => {
    await Promise.all(wires.map(what))
    await spoil(wires)
  }
  const sum = async (what: (wire: Wire) => Promise<number>) =>
    (await Promise.all(wires.map(what))).reduce((a, b) => a + b, 0)
  return {
    silence: all((wire) => wire.silence()),
    dropAnswers: all((wire) => wire.dropAnswers()),
    delayAnswers: all((wire) => wire.delayAnswers()),
    cut: all((wire) => wire.cut()),
    deafen: all((wire) => wire.deafen()),
    reconnect: all((wire) => wire.reconnect()),
    heal: all((wire) => wire.heal()),
    end: all((wire) => wire.end()),
    sent: () => sum((wire) => wire.sent()),
    roundTrips: async () => Math.max(...(await Promise.all(wires.map((wire) => wire.roundTrips())))),
  }
}
