import { ensemble } from './forms.ts'
import { holdToContract } from './harness.ts'

await holdToContract('three ZooKeeper servers', await ensemble())
