/**
 * ZooKeeper's records, as the driver writes and reads them. Of `node-zookeeper-client` this is all that is used, and it
 * is a part that the driver does not export: its connection neither notices a server that has become silent, nor drops
 * what was queued while there was none, nor survives half an answer.
 */
import driver from 'node-zookeeper-client/lib/jute/index.js'
import { unsupported } from '@locks/core/backend'

/** One record of the protocol, which can be written once it is made and holds its fields once it is read. */
export interface Message {
  byteLength(): number
  serialize(buffer: Buffer, offset: number): number
  /** Answers how many bytes it has read. */
  deserialize(buffer: Buffer, offset: number): number
  readonly [field: string]: unknown
}

type MessageClass = new (...fields: readonly unknown[]) => Message
type Kind = (typeof kinds)[number]

const kinds = [
  'ConnectRequest',
  'ConnectResponse',
  'RequestHeader',
  'ReplyHeader',
  'AuthPacket',
  'CreateRequest',
  'CreateResponse',
  'DeleteRequest',
  'GetChildren2Request',
  'GetChildren2Response',
  'GetDataRequest',
  'GetDataResponse',
  'SetDataRequest',
  'SetDataResponse',
  'GetACLRequest',
  'WatcherEvent',
] as const

interface Jute {
  readonly protocol: Readonly<Record<Kind, MessageClass>>
  readonly data: Readonly<Record<'ACL' | 'Id' | 'Stat', MessageClass>>
  readonly Request: new (header: Message | null, payload: Message | null) => { toBuffer(): Buffer }
  readonly TransactionRequest: new (steps: readonly object[]) => Message
  readonly TransactionResponse: new () => Message
}

export const jute = driver as Jute

/** Refuses a version of the driver that has been rebuilt inside. */
export function checkDriver(): void {
  const { protocol, data, Request, TransactionRequest, TransactionResponse } = (driver ?? {}) as Partial<Jute>
  const classes = [...kinds.map((kind) => protocol?.[kind]), data?.ACL, data?.Id, data?.Stat]
  const all = [...classes, Request, TransactionRequest, TransactionResponse]
  if (all.every((each) => typeof each === 'function')) return
  throw unsupported('this version of node-zookeeper-client is not known to @locks/zookeeper; use 1.1.3')
}
