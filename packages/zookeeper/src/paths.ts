import { keyOf } from '@locks/core/backend'

/** Where things are: `/root/namespace/name/contender`, and `/root/namespace/.session` as its sign of life. */
export class Paths {
  readonly root: string
  readonly namespace: string

  /** Both begin nowhere but under the root: an encoded name has neither slashes nor dots. */
  constructor(root: string, namespace: string) {
    this.root = root
    this.namespace = `${root}/${namespace}`
  }

  /** The parent of all who hold a name or wait for it. */
  parent(name: string): string {
    return `${this.namespace}/${keyOf(name)}`
  }

  sign(session: string): string {
    return `${this.namespace}/.${session}`
  }

  /** Whether a child of the namespace is a name's, by its last part. */
  isName(child: string): boolean {
    return !child.startsWith('.')
  }
}
