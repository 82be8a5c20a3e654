import { existsSync, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { chromium, type Browser, type Page } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/** A Chromium of this machine: none is downloaded. */
function findBrowser(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const candidates = [
    process.env['LOCKS_CHROMIUM'] ?? '',
    ...folders.flatMap((at) => names.map((name) => join(at, name))),
  ]
  const found = candidates.find((file) => file !== '' && existsSync(file))
  if (found !== undefined) return found
  throw new Error(
    'docs:check looks at the pages in a real browser and found none: install Chromium (Debian: apt-get install chromium; ' +
      'elsewhere: npx playwright install chromium), or say where one is in LOCKS_CHROMIUM',
  )
}

const widths = [390, 1440]
const schemes = ['light', 'dark'] as const

export interface Seen {
  /** What the console complained about, what did not load, what was too wide: with the page. */
  readonly problems: readonly string[]
  readonly pictures: number
  readonly visits: number
}

/** Opens each page in each width and scheme, keeps pictures of some, and tries the search. */
export async function look(
  url: string,
  pages: readonly string[],
  pictured: readonly string[],
  folder: string,
): Promise<Seen> {
  mkdirSync(folder, { recursive: true })
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const browser = await chromium.launch({ executablePath: findBrowser(), args })
  const problems: string[] = []
  let pictures = 0
  let visits = 0
  try {
    for (const width of widths) {
      for (const colorScheme of schemes) {
        const context = await browser.newContext({
          viewport: { width, height: 900 },
          colorScheme,
          reducedMotion: 'reduce',
        })
        const page = await context.newPage()
        let at = ''
        const complain = (what: string) => problems.push(`${at} at ${width} px, ${colorScheme}: ${what}`)
        page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complain(message.text()))
        page.on('pageerror', (error) => complain(error.message))
        page.on('requestfailed', (request) => complain(`${request.url()} did not load`))
        // Every page once; those of which there are pictures in all forms.
        for (const path of width === 1440 && colorScheme === 'light' ? pages : pictured) {
          at = path
          visits++
          await open(page, `${url}${path}`)
          const over = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))
          if (over > 0) complain(`the page is ${over} px wider than the window`)
          if (!pictured.includes(path)) continue
          const name = path.replace(/^\/|\.html$/g, '').replaceAll('/', '-') || 'index'
          await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true })
          pictures++
        }
        await context.close()
      }
    }
    problems.push(...(await search(browser, url, folder)))
  } finally {
    await browser.close()
  }
  return { problems, pictures, visits }
}

/** Until the page has come to life: what goes wrong then is seen too. */
async function open(page: Page, url: string): Promise<void> {
  await page.goto(url, { waitUntil: 'load' })
  await page.waitForFunction(
    `document.querySelector('#app').__vue_app__ !== undefined && document.fonts.status === 'loaded'`,
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
    await result.waitFor({ timeout: 10_000 })
  } catch {
    return undefined
  }
  await page.screenshot({ path: picture })
  await Promise.all([page.waitForURL((to) => to.pathname !== '/'), result.click()])
  return page.locator('main').innerText()
}
