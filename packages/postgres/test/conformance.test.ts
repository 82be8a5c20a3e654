import { leastPrivileged } from './forms.ts'
import { holdToContract } from './harness.ts'

await holdToContract('postgres', await leastPrivileged(), 'postgres')
