import { reduced } from './forms.ts'
import { holdToContract } from './harness.ts'

await holdToContract('postgres without a schema', await reduced(), 'postgres-reduced')
