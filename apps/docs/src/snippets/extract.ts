/** A block of TypeScript in a document. */
export interface Snippet {
  readonly file: string
  /** That of its first line of code, from 1. */
  readonly line: number
  readonly code: string
  /**
   * `check`: against the types, with the names of the prelude; `run`: it is also run; `fragment`: shows a shape, and
   * cannot stand by itself.
   */
  readonly how: 'check' | 'run' | 'fragment'
}

/** The blocks that begin with ```ts; the words behind it say what is done with them. */
export function snippetsOf(file: string, markdown: string): Snippet[] {
  const lines = markdown.split('\n')
  return lines.flatMap((text, at) => {
    const words = /^```ts(?: (.*))?$/.exec(text)
    if (!words) return []
    const how = words[1] ?? 'check'
    if (how !== 'check' && how !== 'run' && how !== 'fragment') {
      throw new Error(`${file}:${at + 1}: "ts ${how}" says nothing; "ts run" and "ts fragment" do`)
    }
    const end = lines.indexOf('```', at)
    return [{ file, line: at + 2, code: lines.slice(at + 1, end).join('\n'), how }]
  })
}

/** What the commands in a document's shell blocks begin with: `npm run x`, `pnpm x`, `locks x`. */
export function commandsOf(markdown: string): { line: number; tool: 'script' | 'locks'; name: string }[] {
  let inShell = false
  return markdown.split('\n').flatMap((text, at) => {
    if (text.startsWith('```')) {
      inShell = text.startsWith('```sh')
      return []
    }
    if (!inShell) return []
    const found = [...text.matchAll(/(?:^|[;&|] *)(?:[A-Z_]+=\S+ )*(npm run|pnpm|locks) (?:-s )?([a-z][\w:-]*)/g)]
    return found.map(([, tool, name = '']) => ({
      line: at + 1,
      tool: tool === 'locks' ? ('locks' as const) : ('script' as const),
      name,
    }))
  })
}
