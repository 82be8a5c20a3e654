import { single } from './forms.ts'
import { holdToContract } from './harness.ts'

await holdToContract(await single())
