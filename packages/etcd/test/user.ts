import type { EtcdUser } from '@locks/testkit'

/** What `@locks/etcd` needs a user for, and nothing else, with the prefix `locks`. */
export const leastPrivilege: EtcdUser['permissions'] = [{ access: 'readwrite', prefix: 'locks/' }]
