import type { ITxnRequest, ITxnResponse } from 'etcd3'
import type { Keys } from './keys.ts'
import * as txn from './transactions.ts'
import type { Watches } from './watches.ts'

export interface ObserveOptions {
  readonly keys: Keys
  readonly watches: Watches
  readonly run: (request: ITxnRequest) => Promise<ITxnResponse>
}

/**
 * Has it told that a name may have another leader, by a watch apart from that of those who wait for it. Who leads holds
 * alone, so only such keys are watched; who waits is nobody's news. Settles when it is in force, with what ends it.
 */
export async function observe(name: string, tell: () => void, options: ObserveOptions): Promise<() => void> {
  const { keys, watches, run } = options
  const { header } = await run({ success: [txn.list(keys.alone(name), 1)] })
  const listen = (seen: bigint) =>
    watches.watch(keys.alone(name), seen + 1n, {
      heard: tell,
      // What came before this stream will come again; but streams have been seen to lose events and not say so.
      remade: tell,
      lost: (compacted) => {
        unwatch = listen(compacted)
        tell()
      },
    })
  // In force without waiting for the stream: whatever comes after this revision will come on it, however late.
  let unwatch = listen(BigInt(header.revision))
  return () => unwatch()
}
