import type { Lock, LockSet } from '@locks/core'
import { invalid, LockError, originsOf, shown, unsupported, type Origin } from '@locks/core/backend'
import { Etcd3, type ComparatorBuilder, type ITxnResponse } from 'etcd3'
import { revisionOf } from './entries.ts'
import { EtcdSession } from './session.ts'

/**
 * Guards data in the etcd that the lock is in, by a client of the application's: a transaction takes place only if the
 * lock's own key is still there, as it was when the lock was granted. That key is gone before anybody whom it excludes
 * is granted the lock, so nothing has to be remembered beside the data, and an old holder is refused although no new
 * one has come yet.
 *
 * A lock of a manager with `handover: 'local'` is refused (`UNSUPPORTED`): its key passes from holder to holder.
 *
 * The client is of the same cluster, has no namespace, and may read the keys of the locks.
 */
export class EtcdGuard {
  readonly #client: Etcd3

  constructor(client: Etcd3) {
    if (!(client instanceof Etcd3)) throw invalid(`EtcdGuard takes an Etcd3 client; got ${shown(client)}`)
    this.#client = client
  }

  /**
   * Runs operations (`client.put(key).value(value)`, `client.get(key)`, ...) as **one transaction** with the check.
   * Rejects with `LOST`, or `RELEASED`, and has changed nothing, where the lock is no longer there. Errors of the
   * client's are passed on as they are. A client that repeats calls of unknown outcome, as etcd3 does unless told
   * otherwise, may do all of it twice.
   */
  async commit(lock: Lock | LockSet, ...operations: Parameters<ComparatorBuilder['then']>): Promise<ITxnResponse> {
    const answer = await this.if(lock)
      .then(...operations)
      .commit()
    if (answer.succeeded) return answer
    // It may know why.
    lock.assertHeld()
    throw new LockError('LOST', 'the lock was lost: the store no longer has it', { reason: 'gone' })
  }

  /**
   * The beginning of a transaction of etcd3's with the check as its condition, for further conditions and for `else`:
   * `guard.if(lock).and('order', 'Mod', '==', revision).then(...).commit()`. Whether it `succeeded` is for the caller
   * to look at. It has a method `then`, and must not be awaited.
   */
  if(lock: Lock | LockSet): ComparatorBuilder {
    const [first, ...more] = ownersOf(lock).map(({ session, request, tokens }) => {
      const revision = revisionOf(tokens[0] ?? 0n)
      return { key: session.holderKey(request), revision: String(revision) }
    })
    if (!first) throw notALock(lock)
    const begun = this.#client.if(first.key, 'Create', '==', first.revision)
    for (const { key, revision } of more) begun.and(key, 'Create', '==', revision)
    return begun
  }
}

type Owner = Origin & { readonly session: EtcdSession }

function ownersOf(lock: unknown): readonly Owner[] {
  const origins = (typeof lock === 'object' && lock !== null && originsOf(lock)) || []
  if (!origins.every((origin): origin is Owner => origin.session instanceof EtcdSession)) throw notALock(lock)
  if (origins.some(({ request }) => request.mode === 'permit')) {
    throw unsupported('a permit guards nothing: the holders of a semaphore have no order among themselves')
  }
  if (origins.some(({ handsOn }) => handsOn)) {
    throw unsupported(
      "EtcdGuard goes by the lock's key, which outlives its holder where a manager has `handover: 'local'`",
    )
  }
  return origins
}

const notALock = (given: unknown) =>
  invalid(`EtcdGuard takes a lock, or a set, of a LockManager on etcd; got ${shown(given)}`)
