import { three } from './forms.ts'
import { holdToContract } from './harness.ts'

await holdToContract(await three())
