/** Makes several calls about different names as one; a rejection in a call's place is its own. */
export type Together<Ask, Answer> = (asks: readonly Ask[]) => Promise<readonly (Answer | Rejection)[]>

/** What one of several calls came to, where the others did not fail. */
export class Rejection {
  readonly reason: unknown

  constructor(reason: unknown) {
    this.reason = reason
  }
}

interface Item {
  readonly call: () => Promise<unknown>
  readonly send: Together<never, unknown> | undefined
  readonly key: string
  readonly ask: unknown
  readonly resolve: (answer: never) => void
  readonly reject: (reason: unknown) => void
}

/** So many at once: nobody else is served while a script runs. */
const most = 64

/**
 * What is asked for in one tick, in the order in which it was asked for. Neighbours of one kind about different names are
 * made as one call: a command costs the driver and the server more than what it does for one name.
 */
export class Outbox {
  #items: Item[] = []

  /** A call about the name of this key, which `send` makes with its neighbours where it has some. */
  together<Ask, Answer>(
    send: Together<Ask, Answer>,
    key: string,
    ask: Ask,
    call: () => Promise<Answer>,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => this.#add({ call, send, key, ask, resolve, reject }))
  }

  /** A call that is made by itself. */
  alone<T>(call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) =>
      this.#add({ call, send: undefined, key: '', ask: undefined, resolve, reject }),
    )
  }

  #add(item: Item): void {
    this.#items.push(item)
    if (this.#items.length === 1) process.nextTick(() => this.#send())
  }

  #send(): void {
    const items = this.#items
    this.#items = []
    for (let from = 0; from < items.length;) {
      const some = neighbours(items, from)
      from += some.length
      const [first] = some
      if (some.length > 1) void sendAll(some)
      else first?.call().then(first.resolve as (answer: unknown) => void, first.reject)
    }
  }
}

/** As many from there on as can be made as one call. */
function neighbours(items: readonly Item[], from: number): readonly Item[] {
  const send = items[from]?.send
  if (!send || items.length === 1) return items.slice(from, from + 1)
  const some: Item[] = []
  const keys = new Set<string>()
  for (const item of items.slice(from, from + most)) {
    if (item.send !== send || keys.has(item.key)) break
    keys.add(item.key)
    some.push(item)
  }
  return some
}

async function sendAll(items: readonly Item[]): Promise<void> {
  try {
    const answers = await items[0]?.send?.(items.map(({ ask }) => ask as never))
    items.forEach(({ resolve, reject }, at) => {
      const answer = answers?.[at]
      if (answer instanceof Rejection) reject(answer.reason)
      else resolve(answer as never)
    })
  } catch (error) {
    for (const { reject } of items) reject(error)
  }
}
