/** What a node knows of another one, or of itself. */
export interface ClusterNode {
  readonly id: string
  readonly port: number
  /** The id of its master; undefined if it is one. */
  readonly master: string | undefined
  readonly isWell: boolean
  readonly slots: readonly (readonly [first: number, last: number])[]
}

/** Reads the answer to `CLUSTER NODES`. */
export function parseClusterNodes(answer: string): ClusterNode[] {
  return answer.split('\n').map((line) => {
    const [id = '', address = '', flags = '', master = '', , , , , ...slots] = line.split(' ')
    return {
      id,
      port: Number(/:(\d+)@/.exec(address)?.[1]),
      master: master === '-' ? undefined : master,
      isWell: !/fail|handshake/.test(flags),
      slots: slots.map((range) => {
        const [first = NaN, last = first] = range.split('-').map(Number)
        return [first, last]
      }),
    }
  })
}
