import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every link within a built site that leads nowhere: to no page, or to no such place on it. */
export function deadLinks(folder: string): { dead: string[]; checked: number; pages: number } {
  const pages = globSync('**/*.html', { cwd: folder })
  const texts = new Map(pages.map((page) => [`/${page}`, readFileSync(join(folder, page), 'utf8')]))
  const places = new Map([...texts].map(([page, text]) => [page, placesOf(text)]))
  const dead: string[] = []
  let checked = 0
  for (const [page, text] of texts) {
    for (const link of linksOf(text)) {
      const { origin, pathname, hash } = new URL(link, `http://site${page}`)
      if (origin !== 'http://site') continue
      checked++
      const path = decodeURIComponent(pathname)
      const target = path.endsWith('/') ? `${path}index.html` : path
      const there = places.get(target)
      const place = decodeURIComponent(hash.slice(1))
      if (!there && !existsSync(join(folder, target))) dead.push(`${page}: ${link}`)
      else if (there && place !== '' && !there.has(place)) dead.push(`${page}: ${link} (no such heading)`)
    }
  }
  return { dead, checked, pages: pages.length }
}

function linksOf(html: string): Set<string> {
  const found = [...html.matchAll(/<(?:a|img|link|script)\b[^>]*?\s(?:href|src)="([^"]+)"/g)]
  return new Set(found.map(([, link = '']) => link.replaceAll('&amp;', '&')))
}

function placesOf(html: string): Set<string> {
  return new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id = '']) => id))
}
