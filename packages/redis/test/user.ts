/**
 * The rule of a Redis user that may do what `@locks/redis` does, and nothing else, with the prefix `locks`. It is good
 * for every form: a standalone server, one behind Sentinel, a cluster; and from Redis 6.2 on.
 */
export const leastPrivilege = [
  // From nothing, whatever the server's defaults are.
  'resetkeys resetchannels -@all',
  // The state of the names, and the messages for a client and about a name.
  '~locks:{* &locks:client:*',
  // A script a verb, by its text where the server does not know it yet.
  '+eval +evalsha',
  // What the scripts do.
  '+time +hset +hget +hmget +hgetall +hdel +pttl +pexpire +publish',
  // Looking at the server: by the driver when it connects, and at start, for what would make it forget locks.
  '+info',
  // The connection that hears the messages.
  '+subscribe',
  // What it does without, at the price of an entry in the server's ACL LOG each time: no longer hearing of a name that
  // nobody watches any more, asking that connection whether it is alive, having the scripts known before the first call,
  // and a name in CLIENT LIST.
  '+unsubscribe +ping +script|load +client|setname',
].join(' ')

/** What some also need. */
export const furtherPrivileges = {
  /** `query()` of all names. */
  listing: '+scan',
  /** The option `acknowledge`. */
  acknowledge: '+wait',
  /** A database other than 0. */
  database: '+select',
  /**
   * The driver asks a cluster where its slots are, and whether it works. What it says to a server that has become a replica, or
   * is none any more, it does without, at the price of an entry in the ACL LOG. Behind Sentinel nothing is needed.
   */
  cluster: '+cluster|slots +cluster|info +readonly +readwrite',
} as const
