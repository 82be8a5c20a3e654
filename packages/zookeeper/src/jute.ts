/**
 * ZooKeeper's records, as the driver writes them. Of `node-zookeeper-client` this is all that is used, and it
 * is a part that the driver does not export: its connection neither notices a server that has become silent, nor drops
 * what was queued while there was none, nor survives half an answer.
 */
import driver from 'node-zookeeper-client/lib/jute/index.js'
import { unsupported } from '@locks/core/backend'

/** One record of the protocol. */
export interface Message {
  byteLength(): number
  serialize(buffer: Buffer, offset: number): void
}

type MessageClass = new (...fields: readonly unknown[]) => Message
type Kind = (typeof kinds)[number]

const kinds = [
  'ConnectRequest',
  'RequestHeader',
  'AuthPacket',
  'CreateRequest',
  'DeleteRequest',
  'GetChildren2Request',
  'GetDataRequest',
  'SetDataRequest',
  'GetACLRequest',
] as const

interface Jute {
  readonly protocol: Readonly<Record<Kind, MessageClass>>
  readonly data: Readonly<Record<'ACL' | 'Id', MessageClass>>
  readonly Request: new (header: Message | null, payload: Message | null) => { toBuffer(): Buffer }
  readonly TransactionRequest: new (steps: readonly object[]) => Message
}

export const jute = driver as Jute

/** Refuses a version of the driver that has been rebuilt inside. */
export function checkDriver(): void {
  const { protocol, data, Request, TransactionRequest } = (driver ?? {}) as Partial<Jute>
  const classes = [...kinds.map((kind) => protocol?.[kind]), data?.ACL, data?.Id]
  const all = [...classes, Request, TransactionRequest]
  if (all.every((each) => typeof each === 'function')) return
  throw unsupported('this version of node-zookeeper-client is not known to @locks/zookeeper; use 1.1.3')
}
