import { invalid, shown } from '../errors.ts'
import { splitUrl } from '../urls.ts'

const form = 'quorum:?node=<url>&node=<url>&node=<url>, each <url> encoded by encodeURIComponent'

/** The URLs of the nodes. They may hold passwords: nothing of them goes into a message. */
export function nodeUrls(url: string): string[] {
  const { rest, query } = splitUrl(url)
  if (rest !== '') throw invalid(`a quorum: URL names its nodes behind the question mark: ${form}`)
  const parts = query.split('&').filter((part) => part !== '')
  return parts.map((part, at) => {
    const [key = '', ...value] = part.split('=')
    if (key !== 'node') throw invalid(`unknown option ${shown(key)} in a quorum: URL; it must be ${form}`)
    try {
      return decodeURIComponent(value.join('='))
    } catch {
      throw invalid(`node ${at + 1} of this quorum: URL is wrongly percent-encoded; it must be ${form}`)
    }
  })
}
