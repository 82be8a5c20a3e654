import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { charts, illustrations } from '../src/charts.ts'
import { root } from '../src/files.ts'
import { linear, logarithmic, plot } from '../src/plot.ts'

/** The places in a picture from left to right, %. */
const placesIn = (picture: string) => [...picture.matchAll(/left:([^%]+)%/g)].map(([, place]) => Number(place))

describe('a scale', () => {
  test('of powers has an end on either side of all values', () => {
    const { at, ticks } = logarithmic([0.7, 1, 7.76])
    expect(ticks.map(([tick]) => tick)).toEqual([0.5, 1, 2, 4, 8])
    expect([at(0.5), at(2), at(8)]).toEqual([0, 50, 100])
  })

  test('of many powers of two is one of powers of ten', () => {
    expect(logarithmic([0.3, 293]).ticks.map(([tick]) => tick)).toEqual([0.1, 1, 10, 100, 1000])
  })

  test('of shares is even', () => {
    const { at, ticks } = linear(80, 100, 4, ' %')
    expect(ticks.map(([, label]) => label)).toEqual(['80 %', '85 %', '90 %', '95 %', '100 %'])
    expect([at(80), at(90), at(120)]).toEqual([0, 50, 100])
  })
})

test('a picture says what it has no value of, and nothing in it is taken for markup', () => {
  const picture = plot('a < b', 'key', linear(0, 1, 1, ''), [{ label: '{{ x }}', why: 'cannot <wait>' }])
  expect(picture).toContain('a &lt; b')
  expect(picture).toContain('cannot &lt;wait&gt;')
  expect(picture).not.toContain('{{')
})

test.each(Object.keys(charts))('%s is drawn in one line, and all of it within', (name) => {
  const picture = charts[name]?.() ?? ''
  expect(picture).toMatch(/^<figure.*<\/figure>$/)
  const places = placesIn(picture)
  expect(places.length).toBeGreaterThan(10)
  expect(places.every((place) => place >= 0 && place <= 100)).toBe(true)
})

test('what everybody costs has a row for each of the run', () => {
  const { tables } = JSON.parse(readFileSync(join(root, 'docs/bench.json'), 'utf8')) as {
    tables: { workload: string; rows: { subject: string }[] }[]
  }
  const rows = tables.filter(({ workload }) => workload === 'uncontended').flatMap((table) => table.rows)
  const picture = charts['uncontended']?.() ?? ''
  expect([...picture.matchAll(/class="who">([^<]+)</g)].map(([, who]) => who)).toEqual(rows.map((row) => row.subject))
})

test('every illustration is of a chart that there is', () => {
  const wanted = Object.values(illustrations).flatMap((page) => Object.values(page))
  expect(wanted.filter((name) => !Object.hasOwn(charts, name))).toEqual([])
})
