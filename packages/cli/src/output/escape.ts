/**
 * What a terminal might obey or not show: control characters (C0, DEL, C1), invisible and direction-changing ones, lone
 * surrogates, line separators. Names and owners come from whoever took the lock.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** A name or an owner on one line. A backslash is doubled, so that two texts never look alike. */
export function visible(text: string): string {
  if (text === '') return '""'
  return printable(text.replaceAll('\\', '\\\\'))
}

/** A message, whatever has got into it. */
export function printable(text: string): string {
  return text.replace(unprintable, (found) => `\\u{${found.codePointAt(0)?.toString(16)}}`)
}

/** JSON on one line, which also a terminal can be shown. Tokens are strings: they do not fit into a number. */
export function json(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each), indent)
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (found) => (found === '\n' ? found : escaped(found)))
}

function escaped(found: string): string {
  const units = Array.from({ length: found.length }, (_, at) => found.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
