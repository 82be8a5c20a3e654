import { styleText } from 'node:util'

const coloured = process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb'

/** Colours only where somebody sees them and has not asked for none. */
export function paint(style: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string): string {
  return coloured ? styleText(style, text, { validateStream: false }) : text
}

export function number(value: number): string {
  return value.toLocaleString('en-US')
}

export function ms(value: number): string {
  return `${number(Math.round(value))} ms`
}

export function units(value: number): string {
  return value === 1 ? '1 unit' : `${number(value)} units`
}
