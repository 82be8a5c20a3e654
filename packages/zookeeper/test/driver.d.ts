declare module 'node-zookeeper-client' {
  const driver: unknown
  export default driver
}
