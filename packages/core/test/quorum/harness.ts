import { quorum } from '@locks/core/quorum'
import { memoryHarness, type Harness, type Wire } from '@locks/core/conformance'

/** A node that cannot be reached, whatever the case does with the client's lines. */
export interface Missing {
  readonly node: number
  readonly how: 'silence' | 'cut'
}

/** Three stores of this process as one. A client's line that fails is its line to all of them. */
export async function quorumHarness(missing?: Missing): Promise<Harness> {
  const harnesses = ['a', 'b', 'c'].map((name) => memoryHarness(name))
  const { capabilities } = quorum(await Promise.all(harnesses.map(async (harness) => harness.open())))
  const openWired = async () => {
    const lines = await Promise.all(harnesses.map(async (harness) => harness.openWired()))
    const gone = missing && lines[missing.node]
    await gone?.wire[missing?.how ?? 'cut']()
    const wires = lines.filter((line) => line !== gone).map(({ wire }) => wire)
    return { backend: quorum(lines.map(({ backend }) => backend)), wire: together(wires) }
  }
  return {
    backend: 'quorum',
    capabilities,
    ttl: 1_000,
    open: async () => (await openWired()).backend,
    openWired,
    async evict(namespace, name) {
      await Promise.all(harnesses.map((harness) => harness.evict(namespace, name)))
    },
  }
}

function together(wires: readonly Wire[]): Wire {
  const all = (what: (wire: Wire) => Promise<void>) => async () => {
    await Promise.all(wires.map(what))
  }
  const each = (what: (wire: Wire) => Promise<number>) => Promise.all(wires.map(what))
  return {
    silence: all((wire) => wire.silence()),
    dropAnswers: all((wire) => wire.dropAnswers()),
    delayAnswers: all((wire) => wire.delayAnswers()),
    cut: all((wire) => wire.cut()),
    deafen: all((wire) => wire.deafen()),
    reconnect: all((wire) => wire.reconnect()),
    heal: all((wire) => wire.heal()),
    end: all((wire) => wire.end()),
    sent: async () => (await each((wire) => wire.sent())).reduce((a, b) => a + b, 0),
    // What leaves for several nodes leaves at once.
    roundTrips: async () => Math.max(...(await each((wire) => wire.roundTrips()))),
  }
}
