import assert from 'node:assert/strict'
import { admit, LockError, openLocks } from '@locks/core'
import { encodeName } from '@locks/core/backend'
import { cases } from '@locks/core/conformance'
import { memory } from '@locks/core/memory'
import { quorum } from '@locks/core/quorum'
import { tryOut } from './try-out.mts'

assert.ok(cases.length > 0 && [admit, encodeName].every((each) => typeof each === 'function'))
assert.equal(quorum([memory(), memory(), memory()]).name, 'quorum')
await assert.rejects(openLocks('redis://127.0.0.1'), (error) => LockError.is(error, 'UNSUPPORTED'))
await tryOut(() => openLocks('memory:'))
