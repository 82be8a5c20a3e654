import { standalone } from './forms.ts'
import { holdToContract } from './harness.ts'
import { furtherPrivileges, leastPrivilege } from './user.ts'

const users = [
  'default on >of-the-admin ~* &* +@all',
  `locks on >of-the-user ${leastPrivilege} ${furtherPrivileges.listing}`,
]
const form = await standalone(
  { appendonly: true, users },
  { name: 'locks', password: 'of-the-user', adminPassword: 'of-the-admin' },
)

await holdToContract('redis', form, 'redis')
