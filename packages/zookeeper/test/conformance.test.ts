import { single } from './forms.ts'
import { holdToContract } from './harness.ts'

await holdToContract('one ZooKeeper server, as a user of least privilege', await single())
