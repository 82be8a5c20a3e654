import type { Backend, Session, SessionOptions } from '../contract.ts'
import { invalid, LockError, shown } from '../errors.ts'
import { internal } from '../keeper.ts'
import { publish, warn } from '../telemetry.ts'
import { capabilitiesOf } from './capabilities.ts'
import { atLeast } from './gather.ts'
import { Node } from './node.ts'
import { QuorumSession } from './session.ts'

/**
 * One backend over an odd number of others, three or more, that are independent of each other: a lock is held while a
 * majority of them keeps it, so it outlives the loss of the others.
 */
export function quorum(backends: readonly Backend[]): Backend {
  checkNodes(backends)
  const nodes = [...backends]
  const capabilities = capabilitiesOf(nodes)
  const majority = (nodes.length + 1) / 2
  return {
    name: 'quorum',
    capabilities,
    open: (options) => open(nodes, majority, capabilities.fencing !== 'none', options),
  }
}

async function open(
  backends: readonly Backend[],
  majority: number,
  fencing: boolean,
  options: SessionOptions,
): Promise<Session> {
  const { clientId } = options
  let session: QuorumSession | undefined
  const tell = (at: number, state: 'silent' | 'answers') =>
    publish('locks:node', () => ({ clientId, node: at + 1, nodes: backends.length, state }))
  const nodes = backends.map((backend, at) => {
    return new Node(backend, options, {
      // When everybody has been told.
      ended: () => queueMicrotask(() => session?.nodeEnded()),
      changed(doubtful) {
        tell(at, doubtful ? 'silent' : 'answers')
        if (!doubtful) queueMicrotask(() => session?.nodeAnswers())
      },
    })
  })
  const failures: LockError[] = []
  const opened = nodes.map((node) => node.connect())
  const enough = atLeast(
    majority,
    opened.map((each) => each.then(() => true)),
  )
  for (const [at, each] of opened.entries()) {
    each.catch(async (error: unknown) => {
      const why = LockError.find(error) ?? internal(error)
      failures.push(why)
      if (!(await enough) || why.code === 'CLOSED') return
      tell(at, 'silent')
      if (!why.temporary) warn('QUORUM_NODE', `node ${at + 1} of ${nodes.length} is of no use: ${why.message}`)
    })
  }
  if (await enough) {
    session = new QuorumSession(nodes, majority, fencing, options)
    return session
  }
  for (const node of nodes) void node.close()
  throw failures.find(({ temporary }) => !temporary) ?? unopened(nodes.length, majority, failures[0])
}

function unopened(count: number, majority: number, cause: LockError | undefined): LockError {
  return new LockError('UNAVAILABLE', `fewer than ${majority} of the ${count} nodes could be reached`, { cause })
}

function checkNodes(backends: unknown): void {
  if (!Array.isArray(backends)) throw invalid(`quorum takes a list of backends; got ${shown(backends)}`)
  const count = backends.length
  const why =
    count < 3
      ? 'with fewer than three, the loss of any node is the loss of the majority'
      : count % 2 === 0
        ? 'one more than an odd number makes the majority larger and survives the loss of no more nodes'
        : undefined
  if (why) throw invalid(`a quorum must have an odd number of nodes, three or more; got ${count}: ${why}`)
  if (new Set(backends).size < count) throw invalid('the nodes of a quorum must be different backends')
}
