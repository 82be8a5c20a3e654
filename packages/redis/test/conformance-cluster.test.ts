import { cluster } from './forms.ts'
import { holdToContract } from './harness.ts'

await holdToContract('redis-cluster', await cluster(), 'redis-cluster')
