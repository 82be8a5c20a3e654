import { nodesOf } from './nodes.ts'

const secretOption = /[?&][^=&]*(?:password|passwd|secret|token)[^=&]*=/i

/** Whether a URL holds what must not stand in a command line, where every user of the machine can read it. */
export function hasSecret(url: string): boolean {
  return (nodesOf(url) ?? [url]).some((each) => /:\/\/[^/]*:[^@]*@/.test(each) || secretOption.test(each))
}

/** A URL as it may be shown: where the store is, and nothing about who asks. */
export function shownUrl(url: string): string {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*:)([^]*)$/i.exec(url) ?? []
  if (scheme === undefined) return '(no URL)'
  if (/^sqlite:$/i.test(scheme)) return url
  const [place = '', query] = rest.replace(/^\/\/[^]*@/, '//').split('?')
  return `${scheme}${place}${query === undefined ? '' : '?…'}`
}

/** A text with whatever URLs it has in it, as they may be shown. */
export function withoutSecrets(text: string): string {
  return text.replace(/(?!sqlite:)\b(?:[a-z][a-z0-9+.-]*:\/\/|quorum:)[^\s"']+/gi, shownUrl)
}
