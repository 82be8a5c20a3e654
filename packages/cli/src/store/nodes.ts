/** The URLs of the nodes of a `quorum:` URL; undefined for another. What is wrong with it is for core to say. */
export function nodesOf(url: string): string[] | undefined {
  if (!/^quorum:/i.test(url)) return undefined
  return [...url.matchAll(/[?&]node=([^&]*)/g)].flatMap(([, node = '']) => {
    try {
      return [decodeURIComponent(node)]
    } catch {
      return []
    }
  })
}
