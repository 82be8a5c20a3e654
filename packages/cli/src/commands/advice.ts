/** What to do about the warnings of the adapters, by their codes. */
const advice: Readonly<Record<string, string>> = {
  UNAVAILABLE: 'Is the server running, and can this machine reach the host and port that the URL names?',
  QUORUM_NODE: 'Mend or start that node: with one more that fails, locks may be lost and none be granted.',
  SQLITE_UNWATCHED: 'Raise fs.inotify.max_user_watches and max_user_instances, or live with slower handovers.',
  REDIS_NOT_PERSISTENT: 'Set appendonly yes on the server, so that a restart does not forget who holds what.',
  ETCD_MAY_REVOKE_LEASES: 'Upgrade the etcd servers to 3.5.13 or newer.',
  ETCD_NO_SPACE: 'Compact and defragment etcd, then: etcdctl alarm disarm.',
  ETCD_TTL_RAISED: 'Ask for a longer --ttl, or lower the election time-out of the etcd servers.',
  ZOOKEEPER_TTL: 'Ask for a shorter --ttl, or raise maxSessionTimeout on the ZooKeeper servers.',
}

export const adviceOn = (code: string): string | undefined => advice[code]
