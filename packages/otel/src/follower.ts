import type { Attempt, LockEvents } from '@locks/core'
import { guarded, type Handlers } from './channels.ts'

/** What is told of one call for a lock, from the call to its end: once `granted`, it ends by `released` or `lost`. */
export interface Course {
  queued(): void
  granted(message: LockEvents['locks:granted']): void
  refused(message: LockEvents['locks:refused']): void
  failed(message: LockEvents['locks:failed']): void
  atRisk(): void
  released(message: LockEvents['locks:released']): void
  lost(message: LockEvents['locks:lost']): void
  /** Nothing more will be told. */
  abandoned(): void
}

interface Followed {
  readonly courses: readonly Course[]
  granted: boolean
  /** Robbed by one that was granted later and heard of earlier: told before the grant is. */
  loss?: LockEvents['locks:lost']
}

/** Follows every call that is made from now on. What was asked for before is not counted, so that no count goes astray. */
export class Follower {
  readonly #begin: (attempt: Attempt) => readonly Course[]
  readonly #all = new Map<Attempt, Followed>()

  constructor(begin: (attempt: Attempt) => readonly Course[]) {
    this.#begin = begin
  }

  readonly handlers: Handlers = {
    'locks:request': ({ attempt }) => {
      this.#all.set(attempt, { courses: this.#begin(attempt), granted: false })
    },
    'locks:queued': ({ attempt }) => this.#tell(attempt, (course) => course.queued()),
    'locks:granted': (message) => this.#granted(message),
    'locks:refused': (message) => this.#end(message.attempt, (course) => course.refused(message)),
    'locks:failed': (message) => this.#end(message.attempt, (course) => course.failed(message)),
    'locks:at-risk': ({ attempt }) => this.#tell(attempt, (course) => course.atRisk()),
    'locks:released': (message) => this.#end(message.attempt, (course) => course.released(message)),
    'locks:lost': (message) => this.#lost(message),
  }

  /** Nothing more will be told of any. */
  abandon(): void {
    for (const attempt of [...this.#all.keys()]) this.#end(attempt, (course) => course.abandoned())
  }

  #granted(message: LockEvents['locks:granted']): void {
    const followed = this.#all.get(message.attempt)
    if (!followed) return
    followed.granted = true
    this.#tell(message.attempt, (course) => course.granted(message))
    if (followed.loss) this.#lost(followed.loss)
  }

  #lost(message: LockEvents['locks:lost']): void {
    const followed = this.#all.get(message.attempt)
    if (followed?.granted) this.#end(message.attempt, (course) => course.lost(message))
    else if (followed) followed.loss = message
  }

  #end(attempt: Attempt, how: (course: Course) => void): void {
    this.#tell(attempt, how)
    this.#all.delete(attempt)
  }

  /** Each by itself: metrics do not suffer from what is wrong with spans. */
  #tell(attempt: Attempt, how: (course: Course) => void): void {
    for (const course of this.#all.get(attempt)?.courses ?? []) guarded(() => how(course))
  }
}
