import { decodeName, encodeName, keyOf } from '@locks/core/backend'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const anyUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit))
/** What an encoding is made of, and what it has to keep apart. */
const trickyUnit = fc.constantFrom(
  ...Array.from('_-hH02fF/.{}% aA\0'),
  '\u00ff',
  '\u0100',
  '\ud83d',
  '\udc4d',
  '\ufffd',
)
const name = fc.string({ unit: fc.oneof(anyUnit, trickyUnit), maxLength: 200 })
const short = fc.string({ unit: trickyUnit, maxLength: 4 })

const alphabet = /^[A-Za-z0-9_-]+$/
const maxKeyLength = 120

describe('encodeName', () => {
  test('can be undone, whatever UTF-16 code units a name has', () => {
    fc.assert(fc.property(name, (each) => decodeName(encodeName(each)) === each))
  })

  test('can be undone for every single code unit', () => {
    for (let unit = 0; unit <= 0xffff; unit++) {
      const each = String.fromCharCode(unit)
      expect(decodeName(encodeName(each))).toBe(each)
    }
  })

  test('gives two names two encodings', () => {
    fc.assert(fc.property(short, short, (one, other) => (encodeName(one) === encodeName(other)) === (one === other)))
    const inFull = fc.oneof(name, short)
    fc.assert(fc.property(inFull, inFull, (one, other) => (encodeName(one) === encodeName(other)) === (one === other)))
  })

  test('gives an encoding an encoding of its own', () => {
    fc.assert(
      fc.property(name, (each) => {
        const once = encodeName(each)
        const plain = /^[A-Za-z0-9]+$/.test(each)
        expect(encodeName(once) === once).toBe(plain)
        expect(decodeName(encodeName(once))).toBe(once)
      }),
    )
  })

  test('uses letters, digits, "_" and "-" only, and at least one of them', () => {
    fc.assert(fc.property(name, (each) => alphabet.test(encodeName(each))))
  })

  test('knows letters by their case also where a store does not', () => {
    expect(encodeName('a')).not.toBe(encodeName('A'))
    // The hexadecimal digits are always small, so that none of its own makes the difference.
    fc.assert(fc.property(name, (each) => !/_[0-9a-f]?[A-F]|-[0-9a-f]{0,3}[A-F]/.test(encodeName(each.toLowerCase()))))
  })
})

describe('keyOf', () => {
  const long = fc.string({ unit: fc.oneof(anyUnit, trickyUnit), minLength: 100, maxLength: 400 })

  test('is the encoded name itself while that is short enough', () => {
    fc.assert(
      fc.property(name, (each) => {
        const encoded = encodeName(each)
        expect(keyOf(encoded) === encoded).toBe(encoded.length <= maxKeyLength)
      }),
    )
  })

  test('is never longer than 120 characters, of the same alphabet', () => {
    fc.assert(
      fc.property(fc.oneof(name, long), (each) => {
        const key = keyOf(encodeName(each))
        expect(key.length).toBeLessThanOrEqual(maxKeyLength)
        expect(key).toMatch(alphabet)
      }),
    )
  })

  test('tells names apart, also those that differ in the last unit of 10 kB', () => {
    fc.assert(
      fc.property(
        long,
        long,
        (one, other) => (keyOf(encodeName(one)) === keyOf(encodeName(other))) === (one === other),
      ),
    )
    const units = ['a', 'b', '/', '\ud800', '\udc00', '\ufffd']
    const keys = units.map((last) => keyOf(encodeName('n'.repeat(10_240) + last)))
    expect(new Set(keys).size).toBe(units.length)
  })

  test('a hashed key is no name’s encoding', () => {
    fc.assert(
      fc.property(name, long, (each, other) => {
        const key = keyOf(encodeName(other))
        fc.pre(key.startsWith('_h'))
        expect(encodeName(each)).not.toMatch(/^_h/)
        expect(encodeName(key)).not.toBe(key)
      }),
    )
  })
})
