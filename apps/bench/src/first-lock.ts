/** `node first-lock.ts JSON`: takes a lock, says so, and ends. */
import process from 'node:process'
import type { MemberSpec } from './crowd/calls.ts'
import type { BackendName } from './names.ts'
import { subjectOf } from './subjects/index.ts'

const { backend, subject, ...place } = JSON.parse(process.argv[2] ?? '') as MemberSpec
const locker = await (await subjectOf(backend as BackendName, subject)).open(place)
const release = await locker.acquire(`first ${process.pid}`)
console.log('locked')
await release()
await locker.close()
