import { describe, expect, test } from 'vitest'
import { belowHeading, relink, section, slugify } from '../src/markdown.ts'
import { commandsOf, snippetsOf } from '../src/snippets/extract.ts'
import { rowsOf } from '../src/tables.ts'

const text = ['# Title', '## One `two`', 'a', '```sh', '# no heading', '```', '### Three', 'b', '## Four', 'c'].join(
  '\n',
)

describe('section', () => {
  test('ends at the next heading of its rank, and code has none', () => {
    expect(section(text, 'one-two')).toBe('a\n```sh\n# no heading\n```\n### Three\nb')
    expect(section(text, 'four')).toBe('c')
  })

  test('that is not there is an error', () => {
    expect(() => section(text, 'no-heading')).toThrow('no heading #no-heading')
  })
})

test('something is put right below a heading, and not below one in a block of code', () => {
  expect(section(belowHeading(text, 'one-two', '*new*'), 'one-two')).toBe(`*new*\n${section(text, 'one-two')}`)
  expect(() => belowHeading(text, 'no-heading', '*new*')).toThrow('no heading #no-heading')
})

test('headings have the names that GitHub gives them', () => {
  expect(slugify('`openLocks(url, options)`')).toBe('openlocksurl-options')
  expect(slugify('What it guarantees, and not')).toBe('what-it-guarantees-and-not')
})

describe('relink', () => {
  const from = (markdown: string) => relink(markdown, 'packages/redis/README.md')

  test('leads from file to page, with the heading', () => {
    expect(from('see [it](../core#quorum)').markdown).toBe('see [it](/packages/core.md#quorum)')
    expect(from('[why](../../docs/decisions/0008-redis.md)').markdown).toBe('[why](/decisions/0008-redis.md)')
  })

  test('shows a file that is no page, and leaves a folder alone', () => {
    const { markdown, files } = from('[a](src/guard.ts) [b](src)')
    expect(markdown).toBe('[a](/source/packages/redis/src/guard.ts.md) b')
    expect(files).toEqual(['packages/redis/src/guard.ts'])
  })

  test('serves a report in HTML as it is', () => {
    const { markdown, files } = relink('[charts](bench.html)', 'docs/bench.md')
    expect(markdown).toBe('[charts](/files/docs/bench.html){target="_self"}')
    expect(files).toEqual(['docs/bench.html'])
  })

  test('touches neither other sites, nor code', () => {
    const same = ['[a](https://redis.io) [b](#here)', '```md', '[c](../core)', '```'].join('\n')
    expect(from(same).markdown).toBe(same)
  })
})

describe('snippets', () => {
  test('know their lines, and what is to be done with them', () => {
    const found = snippetsOf('a.md', 'x\n```ts run\nlet a\nlet b\n```\n```ts\nc\n```\n```sh\nd\n```')
    expect(found).toEqual([
      { file: 'a.md', line: 3, code: 'let a\nlet b', how: 'run' },
      { file: 'a.md', line: 7, code: 'c', how: 'check' },
    ])
    expect(() => snippetsOf('a.md', '```ts runn\n```')).toThrow('a.md:1')
  })

  test('commands are those of shell blocks', () => {
    expect(commandsOf('npm run no\n```sh\nnpm run demo -- x\nA=b locks doctor\n```')).toEqual([
      { line: 3, tool: 'script', name: 'demo' },
      { line: 4, tool: 'locks', name: 'doctor' },
    ])
  })
})

test('rows of a table are by title', () => {
  expect(rowsOf('| a | b |\n| - | - |\n| 1 | 2 |', 'b')).toEqual([{ a: '1', b: '2' }])
  expect(() => rowsOf('', 'b')).toThrow('no table')
})
