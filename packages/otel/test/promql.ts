import { parser } from '@prometheus-io/lezer-promql'
import type { Series } from './prometheus.ts'

interface Matcher {
  readonly label: string
  readonly op: string
  readonly value: string
}

/** What a query asks for. */
export interface Query {
  readonly selectors: readonly (readonly Matcher[])[]
  /** The labels that are left by `by`. */
  readonly by: readonly string[]
}

/** Parsed with the grammar of Prometheus; throws where that is not one. */
export function parse(text: string): Query {
  const selectors: Matcher[][] = []
  const by: string[] = []
  let grouping = false
  parser.parse(text).iterate({
    enter({ type, from, to, node }) {
      const shown = text.slice(from, to)
      if (type.isError) throw new Error(`no PromQL at ${from}: ${text}`)
      if (type.name === 'VectorSelector') selectors.push([])
      if (type.name === 'Identifier' && node.parent?.name === 'VectorSelector') {
        selectors.at(-1)?.push({ label: '__name__', op: '=', value: shown })
      }
      if (type.name === 'UnquotedLabelMatcher') selectors.at(-1)?.push(matcher(shown))
      if (type.name === 'GroupingLabels') grouping = true
      if (type.name === 'LabelName' && grouping) by.push(shown)
    },
    leave({ type }) {
      if (type.name === 'GroupingLabels') grouping = false
    },
  })
  return { selectors, by }
}

/** The series that a selector finds. */
export function select(series: readonly Series[], matchers: readonly Matcher[]): Series[] {
  return series.filter(({ name, labels }) =>
    matchers.every(({ label, op, value }) => {
      const has = label === '__name__' ? name : (labels[label] ?? '')
      const same = op.endsWith('~') ? new RegExp(`^(?:${value})$`).test(has) : has === value
      return op.startsWith('!') ? !same : same
    }),
  )
}

function matcher(text: string): Matcher {
  const [, label, op, value] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(text) ?? []
  if (label === undefined || op === undefined || value === undefined) throw new Error(`no matcher: ${text}`)
  return { label, op, value }
}
