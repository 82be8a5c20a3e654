import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { chromium, type Browser, type Page } from 'playwright-core'
import { findBrowser } from './chromium.ts'

const widths = [390, 1440]
const schemes = ['light', 'dark'] as const
const height = 900
/** Of a picture, px: a report of many tables would take minutes. */
const longest = 4_000
/** No more than a sign that something hangs, ms. */
const patience = 120_000

export interface Seen {
  /** What the console complained about, what did not load, what was too wide: with the page. */
  readonly problems: readonly string[]
  readonly pictures: number
  readonly visits: number
}

/**
 * Opens each page in one form, and looks at it in each width; those of which there are to be pictures are opened in every form.
 * Tries the search as well.
 */
export async function look(
  url: string,
  pages: readonly string[],
  pictured: readonly string[],
  folder: string,
): Promise<Seen> {
  mkdirSync(folder, { recursive: true })
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const browser = await chromium.launch({ executablePath: findBrowser(), args })
  const forms = widths.flatMap((width) => schemes.map((scheme) => ({ width, scheme })))
  const others = pages.filter((path) => !pictured.includes(path))
  try {
    const seen = await Promise.all(
      forms.map((form, at) => {
        const share = others.filter((_, number) => number % forms.length === at)
        return lookAt(browser, url, form, share, pictured, folder)
      }),
    )
    return {
      problems: [...seen.flat(), ...(await search(browser, url, folder))],
      pictures: forms.length * pictured.length,
      visits: forms.length * pictured.length + others.length,
    }
  } finally {
    await browser.close()
  }
}

interface Form {
  readonly width: number
  readonly scheme: (typeof schemes)[number]
}

/** What is wrong with these pages in one form. */
async function lookAt(
  browser: Browser,
  url: string,
  { width, scheme }: Form,
  pages: readonly string[],
  pictured: readonly string[],
  folder: string,
): Promise<string[]> {
  const problems: string[] = []
  let at = ''
  const complain = (what: string) => problems.push(`${at} at ${width} px, ${scheme}: ${what}`)
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' })
  page.setDefaultTimeout(patience)
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complain(message.text()))
  page.on('pageerror', (error) => complain(error.message))
  page.on('requestfailed', (request) => complain(`${request.url()} did not load`))
  const checkWidth = async (window: number) => {
    const over = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))
    if (over > 0) complain(`the page is ${over} px wider than a window of ${window} px`)
  }
  for (const path of pictured) {
    at = path
    await open(page, `${url}${path}`)
    await checkWidth(width)
    const name = path.replace(/^\/|\/$|\.html$/g, '').replaceAll('/', '-') || 'index'
    const long = Number(await page.evaluate('document.documentElement.scrollHeight'))
    const clip = { x: 0, y: 0, width, height: Math.min(long, longest) }
    await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true, clip })
  }
  for (const path of pages) {
    at = path
    await open(page, `${url}${path}`)
    for (const each of widths) {
      await page.setViewportSize({ width: each, height })
      await checkWidth(each)
    }
    await page.setViewportSize({ width, height })
  }
  await page.close()
  return problems
}

/** Until the page has come to life: what goes wrong then is seen too. A report that is served as it is has no life of its own. */
async function open(page: Page, url: string): Promise<void> {
  const response = await page.goto(url, { waitUntil: 'load' })
  if (!response?.ok()) throw new Error(`${url} is answered with ${response?.status()}`)
  await page.waitForFunction(
    `(document.querySelector('#app') ?? { __vue_app__: true }).__vue_app__ && document.fonts.status === 'loaded'`,
  )
}

/** Asks for words that a reader would ask for, and follows the first answer. */
async function search(browser: Browser, url: string, folder: string): Promise<string[]> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  const problems: string[] = []
  for (const [words, expected] of [
    ['fencing token', /fenc|token/i],
    ['acquireAll', /acquireAll/],
    ['restartGrace', /restartGrace/],
  ] as const) {
    await open(page, `${url}/`)
    const found = await firstResult(page, words, join(folder, `search-${words.replace(' ', '-')}.png`))
    if (found === undefined) problems.push(`the search for ${words} finds nothing`)
    else if (!expected.test(found)) problems.push(`the search for ${words} leads to a page without it`)
  }
  await page.close()
  return problems
}

/** The text of the page that the first result leads to. */
async function firstResult(page: Page, words: string, picture: string): Promise<string | undefined> {
  await page
    .getByRole('button', { name: /search/i })
    .first()
    .click()
  await page.locator('.VPLocalSearchBox input').fill(words)
  const result = page.locator('.VPLocalSearchBox .result').first()
  try {
    await result.waitFor({ timeout: 30_000 })
  } catch {
    return undefined
  }
  await page.screenshot({ path: picture })
  await Promise.all([page.waitForURL((to) => to.pathname !== '/'), result.click()])
  return page.locator('main').innerText()
}
