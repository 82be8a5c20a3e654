import type { ITxnRequest, ITxnResponse } from 'etcd3'
import { nested } from './transactions.ts'

interface Asked {
  readonly name: string
  readonly request: ITxnRequest
  readonly bytes: number
  readonly resolve: (answer: ITxnResponse) => void
  readonly reject: (reason: unknown) => void
}

/** So many at once: the server counts the operations of a transaction and of one within it together, 128 at most. */
const most = 32
/** Bytes of values: each is in its transaction twice, and the server takes 1.5 MiB. */
const mostBytes = 256 * 1_024

/**
 * Transactions about different names that are asked for in one tick, as one transaction: it is one message, one
 * entry of the log and one answer. etcd compares everything before it writes anything, and refuses two writes of a
 * key, so no name may be in one twice.
 */
export class Bundles {
  readonly #run: (request: ITxnRequest) => Promise<ITxnResponse>
  #asked: Asked[] = []

  constructor(run: (request: ITxnRequest) => Promise<ITxnResponse>) {
    this.#run = run
  }

  /** The answer of a transaction that reads and writes entries of this name only, with values of so many bytes. */
  add(name: string, request: ITxnRequest, bytes: number): Promise<ITxnResponse> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ name, request, bytes, resolve, reject })
      if (this.#asked.length === 1) process.nextTick(() => this.#send())
    })
  }

  #send(): void {
    const asked = this.#asked
    this.#asked = []
    for (const bundle of bundlesOf(asked)) this.#sendOne(bundle)
  }

  #sendOne(bundle: readonly Asked[]): void {
    const [first, ...more] = bundle
    const request = more.length === 0 ? first?.request : { success: bundle.map((each) => nested(each.request)) }
    this.#run(request ?? {}).then(
      (answer) => {
        if (more.length === 0) return first?.resolve(answer)
        bundle.forEach((each, at) => each.resolve(answerOf(answer, at)))
      },
      (error: unknown) => {
        for (const each of bundle) each.reject(error)
      },
    )
  }
}

function bundlesOf(asked: readonly Asked[]): Asked[][] {
  const bundles: Asked[][] = []
  let names = new Set<string>()
  let bytes = 0
  for (const each of asked) {
    bytes += each.bytes
    const open = bundles.at(-1)
    if (open && names.size < most && bytes <= mostBytes && !names.has(each.name)) {
      open.push(each)
      names.add(each.name)
    } else {
      bundles.push([each])
      names = new Set([each.name])
      bytes = each.bytes
    }
  }
  return bundles
}

/** What the transaction that was nested would have answered by itself: the revision is that of the whole. */
function answerOf({ header, responses }: ITxnResponse, at: number): ITxnResponse {
  return { ...(responses[at]?.response_txn as ITxnResponse), header }
}
