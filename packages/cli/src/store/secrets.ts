import { nodesOf } from './nodes.ts'

const secretOption = /[?&][^=&]*(?:password|passwd|secret|token)[^=&]*=/i

/** Whether a URL holds what must not stand in a command line, where every user of the machine can read it. */
export function hasSecret(url: string): boolean {
  return (nodesOf(url) ?? [url]).some(
    (each) => !isFile(each) && (/:\/*[^/]*:[^@]*@/.test(each) || secretOption.test(each)),
  )
}

/** A URL as it may be shown, also one that is mistyped: where the store is, and nothing about who asks. */
export function shownUrl(url: string): string {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*:)([^]*)$/i.exec(url) ?? []
  if (scheme === undefined) return '(no URL)'
  if (isFile(url)) return url
  const [query, user] = [rest.indexOf('?'), rest.lastIndexOf('@')]
  // Either a password with a question mark, or an option with an at sign: who can say which?
  if (query >= 0 && user > query) return `${scheme}…`
  const slashes = rest.startsWith('//') ? '//' : ''
  const [place = ''] = (user < 0 ? rest.slice(slashes.length) : rest.slice(user + 1)).split('?')
  return `${scheme}${slashes}${place}${query < 0 ? '' : '?…'}`
}

/** A text with whatever URLs it has in it, as they may be shown. */
export function withoutSecrets(text: string): string {
  return text.replace(urls, shownUrl)
}

const isFile = (url: string): boolean => /^sqlite:/i.test(url)

const ours = 'quorum|rediss?|redis\\+[a-z]+|postgres(?:ql)?|etcds?|zookeeper'
const urls = new RegExp(`(?!sqlite:)\\b(?:[a-z][a-z0-9+.-]*:\\/\\/|(?:${ours}):)[^\\s"']+`, 'gi')
