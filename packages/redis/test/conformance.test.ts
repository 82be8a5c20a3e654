import { standalone } from './forms.ts'
import { holdToContract } from './harness.ts'

await holdToContract('redis', await standalone(), 'redis')
