import type { Answer, Stat } from './answer.ts'
import { jute, type Message } from './jute.ts'

/** A request, and how its answer is read. */
export interface Operation<T> {
  readonly type: number
  readonly payload: Message | null
  readonly read: (answer: Answer) => T
}

export interface Acl {
  readonly permissions: number
  readonly scheme: string
  readonly id: string
}

export interface Node {
  readonly path: string
  readonly data: Buffer
  readonly acl: readonly Acl[]
  readonly mode: CreateMode
}

type CreateMode = keyof typeof flags

const flags = { persistent: 0, ephemeral: 1, 'ephemeral sequential': 3, container: 4 } as const

/** By the numbers that the driver has, and those of ZooKeeper 3.6 that it has not. */
const codes = {
  create: 1,
  remove: 2,
  read: 4,
  write: 5,
  sync: 9,
  children: 12,
  check: 13,
  transaction: 14,
  create2: 15,
  removeWatch: 18,
  createContainer: 19,
  ephemerals: 103,
  addWatch: 106,
  closeSession: -11,
  error: -1,
} as const

/** Answers, unlike the operation that the driver has, what the node was made with. */
export function create(node: Node): Operation<{ readonly path: string; readonly stat: Stat }> {
  return {
    type: node.mode === 'container' ? codes.createContainer : codes.create2,
    payload: new jute.protocol.CreateRequest(node.path, node.data, node.acl.map(aclOf), flags[node.mode]),
    read: (answer) => ({ path: answer.text(), stat: answer.stat() }),
  }
}

export function remove(path: string): Operation<void> {
  return { type: codes.remove, payload: new jute.protocol.DeleteRequest(path, -1), read: () => {} }
}

export function read(path: string): Operation<{ readonly data: Buffer; readonly stat: Stat }> {
  return {
    type: codes.read,
    payload: new jute.protocol.GetDataRequest(path, false),
    read: (answer) => ({ data: answer.buffer(), stat: answer.stat() }),
  }
}

export function write(path: string, data: Buffer): Operation<Stat> {
  return {
    type: codes.write,
    payload: new jute.protocol.SetDataRequest(path, data, -1),
    read: (answer) => answer.stat(),
  }
}

export interface Children {
  readonly names: readonly string[]
  readonly stat: Stat
}

/** `watch`: to be told once when a child comes or goes, or the node itself goes. Writing to it is not told. */
export function children(path: string, watch = false): Operation<Children> {
  return {
    type: codes.children,
    payload: new jute.protocol.GetChildren2Request(path, watch),
    read: (answer) => ({ names: answer.texts(), stat: answer.stat() }),
  }
}

/** What a notification tells of a node. */
export const events = { created: 1, deleted: 2, written: 3 } as const

const persistentRecursive = 1
const anyWatch = 3

/**
 * To be told, until the connection ends, of every node at this path and below that is made, deleted or written. Setting a
 * watch of another kind at the same path would change this one.
 */
export function addWatch(path: string): Operation<void> {
  // A request of the same fields, like the next two.
  return { type: codes.addWatch, payload: new jute.protocol.DeleteRequest(path, persistentRecursive), read: () => {} }
}

/** All watches of this connection at exactly this path. */
export function removeWatch(path: string): Operation<void> {
  return { type: codes.removeWatch, payload: new jute.protocol.DeleteRequest(path, anyWatch), read: () => {} }
}

/** What is read behind it is no older than it, also by a server that lags behind the leader. */
export function sync(path: string): Operation<void> {
  return { type: codes.sync, payload: new jute.protocol.GetACLRequest(path), read: () => {} }
}

/** The paths below `path` of all nodes that end with this session. */
export function ephemerals(path: string): Operation<readonly string[]> {
  return {
    type: codes.ephemerals,
    // A request of the same fields.
    payload: new jute.protocol.GetACLRequest(path),
    read: (answer) => answer.texts(),
  }
}

/** Ends the session, and all its ephemeral nodes with it. */
export const closeSession: Operation<void> = { type: codes.closeSession, payload: null, read: () => {} }

export type Step =
  | { readonly kind: 'create'; readonly node: Node }
  | { readonly kind: 'write'; readonly path: string; readonly data: Buffer }
  | { readonly kind: 'remove'; readonly path: string }
  /** Nobody has written to the node since it had this version. */
  | { readonly kind: 'check'; readonly path: string; readonly version: number }

export interface Outcome {
  /** Of the first step that could not be done, so that none was; otherwise 0. */
  readonly error: number
  /** By step, the path that was created, and what was written. */
  readonly results: readonly { readonly path?: string; readonly stat?: Stat }[]
}

/** All or nothing. */
export function transaction(steps: readonly Step[]): Operation<Outcome> {
  return {
    type: codes.transaction,
    payload: new jute.TransactionRequest(steps.map(driverStep)),
    read(answer) {
      let error = 0
      const results: { path?: string; stat?: Stat }[] = []
      for (;;) {
        const type = answer.int()
        const last = answer.boolean()
        answer.int()
        if (last) return { error, results }
        // Of those before the one that failed there is an error, too: none.
        if (type === codes.error) error ||= answer.int()
        else if (type === codes.create) results.push({ path: answer.text() })
        else if (type === codes.write) results.push({ stat: answer.stat() })
        else if (type === codes.check || type === codes.remove) results.push({})
        else throw new RangeError('an answer to another request')
      }
    },
  }
}

function driverStep(step: Step): object {
  switch (step.kind) {
    case 'create': {
      const { path, data, acl, mode } = step.node
      const acls = acl.map((each) => ({ toRecord: () => aclOf(each) }))
      return { type: codes.create, path, data, acls, mode: flags[mode] }
    }
    case 'write':
      return { type: codes.write, path: step.path, data: step.data, version: -1 }
    case 'remove':
      return { type: codes.remove, path: step.path, version: -1 }
    case 'check':
      return { type: codes.check, path: step.path, version: step.version }
  }
}

function aclOf({ permissions, scheme, id }: Acl): Message {
  return new jute.data.ACL(permissions, new jute.data.Id(scheme, id))
}
