import { jute, type Message } from './jute.ts'

/** A request, and how its answer is read, which begins at `offset`. */
export interface Operation<T> {
  readonly type: number
  readonly payload: Message | null
  readonly answer: (buffer: Buffer, offset: number) => T
}

export interface Stat {
  /** The transaction that made the node. */
  readonly czxid: bigint
  /** The one that last wrote its data: the one that made it, if none has since. */
  readonly mzxid: bigint
  /** The one that last added or removed a child. */
  readonly pzxid: bigint
  readonly ctime: number
  readonly mtime: number
  /** How often its data has been written since it was made. */
  readonly version: number
  readonly ephemeralOwner: bigint
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

export type CreateMode = keyof typeof flags

const flags = { persistent: 0, ephemeral: 1, 'ephemeral sequential': 3, container: 4 } as const

/** By the numbers that the driver has, and three of ZooKeeper 3.6 that it has not. */
const codes = {
  create: 1,
  remove: 2,
  read: 4,
  write: 5,
  children: 12,
  check: 13,
  transaction: 14,
  create2: 15,
  createContainer: 19,
  ephemerals: 103,
  closeSession: -11,
} as const

/** Answers, unlike the operation that the driver has, what the node was made with. */
export function create(node: Node): Operation<{ readonly path: string; readonly stat: Stat }> {
  return {
    type: node.mode === 'container' ? codes.createContainer : codes.create2,
    payload: new jute.protocol.CreateRequest(node.path, node.data, node.acl.map(aclOf), flags[node.mode]),
    answer(buffer, offset) {
      const created = new jute.protocol.CreateResponse()
      const length = created.deserialize(buffer, offset)
      const stat = parsed(new jute.data.Stat(), buffer, offset + length)
      return { path: created['path'] as string, stat: statOf(stat) }
    },
  }
}

export function remove(path: string): Operation<void> {
  return { type: codes.remove, payload: new jute.protocol.DeleteRequest(path, -1), answer: () => {} }
}

export function read(path: string): Operation<{ readonly data: Buffer; readonly stat: Stat }> {
  return {
    type: codes.read,
    payload: new jute.protocol.GetDataRequest(path, false),
    answer(buffer, offset) {
      const { data, stat } = parsed(new jute.protocol.GetDataResponse(), buffer, offset)
      return { data: (data as Buffer | undefined) ?? Buffer.alloc(0), stat: statOf(stat) }
    },
  }
}

export function write(path: string, data: Buffer): Operation<Stat> {
  return {
    type: codes.write,
    payload: new jute.protocol.SetDataRequest(path, data, -1),
    answer: (buffer, offset) => statOf(parsed(new jute.protocol.SetDataResponse(), buffer, offset)['stat']),
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
    answer(buffer, offset) {
      const found = parsed(new jute.protocol.GetChildren2Response(), buffer, offset)
      return { names: (found['children'] as string[] | undefined) ?? [], stat: statOf(found['stat']) }
    },
  }
}

/** The paths below `path` of all nodes that end with this session. */
export function ephemerals(path: string): Operation<readonly string[]> {
  return {
    type: codes.ephemerals,
    // A request of the same fields.
    payload: new jute.protocol.GetACLRequest(path),
    answer(buffer, offset) {
      const paths: string[] = []
      let at = offset + 4
      for (let left = buffer.readInt32BE(offset); left > 0; left--) {
        const end = at + 4 + buffer.readInt32BE(at)
        paths.push(buffer.toString('utf8', at + 4, end))
        at = end
      }
      return paths
    },
  }
}

/** Ends the session, and all its ephemeral nodes with it. */
export const closeSession: Operation<void> = { type: codes.closeSession, payload: null, answer: () => {} }

export type Step =
  | { readonly kind: 'create'; readonly node: Node }
  | { readonly kind: 'write'; readonly path: string; readonly data: Buffer }
  /** Nobody has written to the node since it had this version. */
  | { readonly kind: 'check'; readonly path: string; readonly version: number }

/** The error of the first step that cannot be done, or for each step the path that was created or what was written. */
export interface Outcome {
  readonly error: number
  readonly results: readonly { readonly path?: string; readonly stat?: Stat }[]
}

/** All or nothing. */
export function transaction(steps: readonly Step[]): Operation<Outcome> {
  return {
    type: codes.transaction,
    payload: new jute.TransactionRequest(steps.map(driverStep)),
    answer(buffer, offset) {
      const found = parsed(new jute.TransactionResponse(), buffer, offset)['results'] as readonly {
        readonly err?: number
        readonly path?: string
        readonly stat?: unknown
      }[]
      // Those before the one that failed say that nothing is wrong with them.
      const error = found.find(({ err }) => err !== undefined && err !== 0)?.err ?? 0
      const results = found.map(({ path, stat }) => ({
        ...(path !== undefined && { path }),
        ...(stat !== undefined && { stat: statOf(stat) }),
      }))
      return { error, results }
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
    case 'check':
      return { type: codes.check, path: step.path, version: step.version }
  }
}

function aclOf({ permissions, scheme, id }: Acl): Message {
  return new jute.data.ACL(permissions, new jute.data.Id(scheme, id))
}

function parsed(message: Message, buffer: Buffer, offset: number): Message {
  message.deserialize(buffer, offset)
  return message
}

function statOf(message: unknown): Stat {
  const stat = message as Readonly<Record<string, Buffer>> & { readonly version: unknown }
  const long = (field: string) => stat[field]?.readBigInt64BE() ?? 0n
  return {
    czxid: long('czxid'),
    mzxid: long('mzxid'),
    pzxid: long('pzxid'),
    ctime: Number(long('ctime')),
    mtime: Number(long('mtime')),
    version: stat.version as number,
    ephemeralOwner: long('ephemeralOwner'),
  }
}
