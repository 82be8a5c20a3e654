import type { Attempt, LockEvents } from '@locks/core'
import { context, SpanStatusCode, type Attributes, type Context, type Span, type Tracer } from '@opentelemetry/api'
import { errorType, spanAttributes } from './attributes.ts'
import type { NameFor } from './config.ts'
import type { Course } from './follower.ts'

/**
 * One call for a lock, as two spans: one for the wait, one for the hold. Both are children of the span that was active at
 * the call, so that they stand beside each other in its trace; the hold is no child of the wait, which has ended when it
 * begins, and says by a link which wait it comes from.
 */
export class TracedCourse implements Course {
  readonly #tracer: Tracer
  readonly #attributes: Attributes
  readonly #caller: Context
  readonly #wait: Span
  #hold: Span | undefined

  constructor(attempt: Attempt, tracer: Tracer, nameFor: NameFor | undefined) {
    this.#tracer = tracer
    this.#caller = context.active()
    this.#attributes = spanAttributes(attempt, nameFor)
    this.#wait = tracer.startSpan('acquire lock', { attributes: this.#attributes }, this.#caller)
  }

  queued(): void {
    this.#wait.addEvent('queued')
  }

  granted({ tokens, turn }: LockEvents['locks:granted']): void {
    const links = [{ context: this.#wait.spanContext() }]
    const attributes = { ...this.#attributes, 'locks.tokens': tokens.map(String) }
    this.#wait.setAttributes({ 'locks.outcome': 'granted', 'locks.handed_over': turn > 0 })
    this.#wait.end()
    this.#hold = this.#tracer.startSpan('hold lock', { attributes, links }, this.#caller)
  }

  refused(): void {
    this.#wait.setAttribute('locks.outcome', 'refused')
    this.#wait.end()
  }

  failed({ error }: LockEvents['locks:failed']): void {
    end(this.#wait, { 'locks.outcome': 'failed', 'error.type': errorType(error) })
  }

  atRisk(): void {
    this.#hold?.addEvent('at risk')
  }

  released(): void {
    this.#hold?.setAttribute('locks.outcome', 'released')
    this.#hold?.end()
  }

  lost({ reason }: LockEvents['locks:lost']): void {
    if (this.#hold) {
      end(this.#hold, { 'locks.outcome': 'lost', 'error.type': 'LOST', 'locks.loss.reason': reason })
    }
  }

  abandoned(): void {
    ;(this.#hold ?? this.#wait).end()
  }
}

/** Without a description: messages name the lock, which is to be seen as the caller has said and not otherwise. */
function end(span: Span, failure: Attributes): void {
  span.setAttributes(failure)
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}
