import { encodeName, type Grant } from '@locks/core/backend'
import { isExclusive, isUnseen, type Ledger, type Line } from './ledger.ts'

/** What a session wants of the server. */
export type Op = Acquire | Remove | Look | Register

interface Answered<T> {
  readonly resolve: (answer: T) => void
  readonly reject: (error: unknown) => void
}

export interface Acquire extends Answered<Grant | 'queued' | null> {
  readonly kind: 'acquire'
  readonly line: Line
  readonly wait: boolean
}
export interface Remove extends Answered<boolean> {
  readonly kind: 'remove'
  readonly line: Line
}
/** Whether somebody who waits can be granted. */
export interface Look {
  readonly kind: 'look'
  readonly key: bigint
  readonly stored: string
}
interface Register {
  readonly kind: 'register'
  readonly line: Line
  readonly heldFor: () => number
}

/** The modes as the rows have them. */
const letters = { exclusive: 'e', shared: 's', permit: 'p' } as const
const flag = { waits: 1, held: 2, unseen: 4 } as const

/**
 * An exclusive lock may be taken without a row where it has no value, and the session has nothing under its key and asks for
 * nothing else.
 */
function mayGoUnseen(op: Op, ledger: Ledger, count: number): op is Acquire {
  if (op.kind !== 'acquire' || op.line.value !== undefined) return false
  return op.line.contender.mode === 'exclusive' && count === 1 && ledger.alone(op.line)
}

/** Whether nothing is asked for but exclusive locks that may go without a row. */
export function areShort(ops: readonly Op[], ledger: Ledger): ops is readonly Acquire[] {
  const counts = countsOf(ops)
  return ops.every((op) => mayGoUnseen(op, ledger, counts.get(keyOf(op)) ?? 0))
}

/** Whether nothing is asked for but the end of locks that have no row. */
export function areFrees(ops: readonly Op[]): ops is readonly Remove[] {
  return ops.every((op) => op.kind === 'remove' && isUnseen(op.line))
}

/** What `take` or `takeAll` is given. */
export function takenBy(ops: readonly Acquire[]): readonly unknown[] {
  const rows = ops.map(({ line, wait }) => [String(line.key), line.stored, line.claim.id, wait] as const)
  const [first] = rows
  if (rows.length === 1 && first) return first
  return ([0, 1, 2, 3] as const).map((column) => rows.map((row) => row[column]))
}

/** What `free` or `freeAll` is given. */
export function freedBy(ops: readonly Remove[]): readonly unknown[] {
  const keys = ops.map(({ line }) => String(line.key))
  return ops.length === 1 ? keys : [keys]
}

export const keyOf = (op: Op): bigint => (op.kind === 'look' ? op.key : op.line.key)
export const storedOf = (op: Op): string => (op.kind === 'look' ? op.stored : op.line.stored)

/**
 * In the order of their keys, in which all sessions take their turns at them, and of one key in the order in which they
 * came.
 */
export const inOrder = (ops: readonly Op[]): Op[] => ops.toSorted((a, b) => compare(keyOf(a), keyOf(b)))

/** What `run` is given: `sql/run.ts` says what the columns mean. */
export function columnsOf(ops: readonly Op[], ledger: Ledger): readonly unknown[] {
  const counts = countsOf(ops)
  // What the session has changes from one op to the next.
  const freed = new Set<string>()
  const registered = new Set<Line>()
  const isHeld = (op: Op) => !freed.has(storedOf(op)) && ledger.holdsExclusively(keyOf(op), storedOf(op))
  const rows = ops.map((op) => {
    if (op.kind === 'look') return ['c', '', 'e', 1, 1, isHeld(op) ? flag.held : 0, 0n] as const
    const { line } = op
    const { id } = line.claim
    if (op.kind === 'register') {
      registered.add(line)
      return ['g', id, 'e', 1, Math.round(op.heldFor()), 0, line.token] as const
    }
    if (op.kind === 'remove') {
      if (isExclusive(line)) freed.add(line.stored)
      const letter = isUnseen(line) && !registered.has(line) ? 'f' : 'r'
      return [letter, id, 'e', 1, 1, isHeld(op) ? flag.held : 0, 0n] as const
    }
    const held = isHeld(op) ? flag.held : 0
    const { mode, permits = 1, weight = 1 } = line.contender
    const flags =
      (op.wait ? flag.waits : 0) | held | (mayGoUnseen(op, ledger, counts.get(line.key) ?? 0) ? flag.unseen : 0)
    return ['a', id, letters[mode], permits, weight, flags, 0n] as const
  })
  const column = (at: 0 | 1 | 2 | 3 | 4 | 5 | 6) => rows.map((row) => row[at])
  return [
    column(0),
    ops.map((op) => String(keyOf(op))),
    ops.map(storedOf),
    ...[column(1), column(2), column(3), column(4), column(5)],
    column(6).map(String),
    valuesOf(ops),
  ]
}

/** None at all where nobody has one. Encoded as names are, so that a database of any encoding takes them. */
function valuesOf(ops: readonly Op[]): (string | undefined)[] {
  const values = ops.map((op) => (op.kind === 'acquire' ? op.line.value : undefined))
  if (values.every((value) => value === undefined)) return []
  return values.map((value) => (value === undefined ? value : encodeName(value)))
}

function countsOf(ops: readonly Op[]): ReadonlyMap<bigint, number> {
  const counts = new Map<bigint, number>()
  for (const op of ops) counts.set(keyOf(op), (counts.get(keyOf(op)) ?? 0) + 1)
  return counts
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)
