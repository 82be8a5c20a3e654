import { sentinel } from './forms.ts'
import { holdToContract } from './harness.ts'

await holdToContract('redis-sentinel', await sentinel(), 'redis-sentinel')
