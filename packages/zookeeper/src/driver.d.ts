/** The one part of the driver that is used, which has no types of its own. */
declare module 'node-zookeeper-client/lib/jute/index.js' {
  const jute: unknown
  export default jute
}
