import type { ICompare, IKeyValue, IRequestOp, IResponseOp, ITxnRequest, ITxnResponse } from 'etcd3'
import type { Range } from './keys.ts'

/**
 * The parts of etcd's transactions. A comparison with a range holds if it holds for each of its keys, and for none if
 * there is none.
 */

/** Nothing is there. */
export const empty = (range: Range): ICompare => ({ ...range, ...equal, target: 'Create', create_revision: '0' })
export const absent = (key: Buffer): ICompare => ({ key, ...equal, target: 'Create', create_revision: '0' })

/** It is there, and has been since this revision. */
export const since = (key: Buffer, revision: bigint): ICompare => ({
  key,
  ...equal,
  target: 'Create',
  create_revision: String(revision),
})

/** Nothing is there that has come after this revision. */
export const nothingAfter = (range: Range, revision: bigint): ICompare => ({
  ...range,
  result: 'Less',
  target: 'Create',
  create_revision: String(revision + 1n),
})

const equal = { result: 'Equal' } as const

export const put = (key: Buffer, value: Buffer, lease: string): IRequestOp => ({ request_put: { key, value, lease } })
export const get = (key: Buffer): IRequestOp => ({ request_range: { key } })
export const list = (range: Range, limit = 0): IRequestOp => ({ request_range: { ...range, limit } })
export const remove = (key: Buffer): IRequestOp => ({ request_delete_range: { key } })
export const removeRange = (range: Range): IRequestOp => ({ request_delete_range: range })
export const nested = (request: ITxnRequest): IRequestOp => ({ request_txn: request })

/** The keys that the answers of a transaction hold, nested ones included. */
export function keysIn({ responses }: { readonly responses: readonly IResponseOp[] }): IKeyValue[] {
  return responses.flatMap((each) => {
    // Of a union, the driver sets the member that there is.
    if (each.response_range as unknown) return each.response_range.kvs
    return (each.response_txn as unknown) ? keysIn(each.response_txn) : []
  })
}

/** How many keys it has removed. */
export function removedBy({ responses }: ITxnResponse): number {
  return responses.reduce((sum, each) => {
    return sum + ((each.response_delete_range as unknown) ? Number(each.response_delete_range.deleted) : 0)
  }, 0)
}

/** Whether the nested transaction went the way of its success; undefined if there was none. */
export function nestedSucceeded({ responses }: ITxnResponse): boolean | undefined {
  const inner = responses[0]?.response_txn as ITxnResponse | undefined | null
  return inner?.succeeded
}
