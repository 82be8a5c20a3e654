// Draws the timelines: one canvas for the faults and one for each name, all over the same stretch of time.
const data = JSON.parse(document.getElementById('data').textContent)
const tip = document.getElementById('tip')
const view = { from: 0, until: data.length }
const [margin, rowHeight] = [110, 16]

/** Every client in a row; whoever came later takes the row of one who had gone. */
function rowsOf(items) {
  const rows = []
  for (const item of items) {
    let row = rows.findIndex((each) => each.until <= item.from || (item.client && each.client === item.client))
    if (row < 0) row = rows.push({}) - 1
    rows[row] = { until: item.until, client: item.client }
    item.row = row
  }
  return rows.length
}

function rowsOfClients(holds) {
  const spans = new Map()
  for (const { client, from, until } of holds) {
    const span = spans.get(client) ?? { from, until, key: client }
    span.until = Math.max(span.until, until)
    spans.set(client, span)
  }
  const count = rowsOf([...spans.values()])
  for (const hold of holds) hold.row = spans.get(hold.client).row
  return { count, spans }
}

const charts = [...document.querySelectorAll('canvas')].map((canvas) => {
  const name = canvas.dataset.name
  if (name === undefined) {
    const faults = data.faults.map((fault) => ({ ...fault }))
    return { canvas, faults, rows: rowsOf(faults), holds: [], findings: [] }
  }
  const holds = data.holds.filter((hold) => hold.name === name)
  const { count, spans } = rowsOfClients(holds)
  const findings = data.findings.filter((finding) => finding.name === name)
  return { canvas, name, faults: data.faults, rows: Math.max(1, count), holds, spans, findings }
})

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`)
const x = (at, width) => margin + ((at - view.from) / (view.until - view.from)) * (width - margin)
const timeAt = (px, width) => view.from + ((px - margin) / (width - margin)) * (view.until - view.from)

function draw(chart) {
  const { canvas, rows } = chart
  const scale = window.devicePixelRatio || 1
  const width = canvas.clientWidth
  const height = rows * rowHeight + 22
  canvas.style.height = `${height}px`
  canvas.width = width * scale
  canvas.height = height * scale
  const to = canvas.getContext('2d')
  to.scale(scale, scale)
  to.font = '11px system-ui, sans-serif'
  to.textBaseline = 'middle'
  const top = (row) => 4 + row * rowHeight
  const bar = (item, fill, least) => {
    const left = Math.max(margin, x(item.from, width))
    const right = Math.min(width, Math.max(x(item.until, width), x(item.from, width) + least))
    if (right < margin || left > width) return
    to.fillStyle = fill
    to.fillRect(left, top(item.row), right - left, rowHeight - 4)
  }
  if (chart.name === undefined) {
    for (const fault of chart.faults) bar(fault, colour('bandedge'), 2)
    to.fillStyle = colour('quiet')
    to.fillText('faults', 0, top(0) + 6)
  } else {
    to.fillStyle = colour('band')
    for (const { from, until } of chart.faults) {
      const left = Math.max(margin, x(from, width))
      const right = Math.min(width, Math.max(x(until, width), x(from, width) + 1))
      if (right > margin) to.fillRect(left, 0, right - left, height - 18)
    }
    to.fillStyle = colour('quiet')
    const labels = new Map()
    for (const { key, row, from, until } of chart.spans.values()) {
      if (from < view.until && until > view.from && !labels.has(row)) labels.set(row, key)
    }
    for (const [row, label] of labels) to.fillText(label, 0, top(row) + 6, margin - 8)
    for (const hold of chart.holds) bar(hold, colour(hold.mode), 1.5)
    for (const finding of chart.findings) {
      const at = x(finding.at, width)
      if (at < margin) continue
      to.fillStyle = colour(finding.by ? 'excused' : 'violation')
      to.fillRect(at - 1, 0, 2, height - 18)
      to.beginPath()
      to.moveTo(at - 5, 0)
      to.lineTo(at + 5, 0)
      to.lineTo(at, 8)
      to.fill()
    }
  }
  axis(to, width, height)
}

function axis(to, width, height) {
  to.strokeStyle = colour('line')
  to.fillStyle = colour('quiet')
  const span = view.until - view.from
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 120000, 600000].find(
    (each) => span / each <= 12,
  )
  to.beginPath()
  for (let at = Math.ceil(view.from / step) * step; at <= view.until; at += step) {
    const px = Math.round(x(at, width)) + 0.5
    to.moveTo(px, height - 18)
    to.lineTo(px, height - 14)
    to.textAlign = px > width - 30 ? 'right' : 'center'
    to.fillText(step < 1000 ? `${(at / 1000).toFixed(3)} s` : `${at / 1000} s`, px, height - 6)
  }
  to.moveTo(margin, height - 18.5)
  to.lineTo(width, height - 18.5)
  to.stroke()
  to.textAlign = 'left'
}

const drawAll = () => charts.forEach(draw)

function show(from, until) {
  const span = Math.min(data.length, Math.max(5, until - from))
  view.from = Math.min(Math.max(0, from), data.length - span)
  view.until = view.from + span
  requestAnimationFrame(drawAll)
}

const seconds = (at) => `${(at / 1000).toFixed(3)} s`

function found({ canvas, name, holds, faults, findings }, event) {
  const width = canvas.clientWidth
  const at = timeAt(event.offsetX, width)
  const near = (4 / (width - margin)) * (view.until - view.from)
  const row = Math.floor((event.offsetY - 4) / rowHeight)
  const meets = (each) => each.from - near <= at && each.until + near >= at
  const lines = findings
    .filter((each) => Math.abs(each.at - at) <= near)
    .map((each) => `${each.by ? `excused (${each.by})` : 'VIOLATION'}: ${each.checker}: ${each.message}`)
  for (const each of holds.filter((hold) => hold.row === row && meets(hold)).slice(0, 3)) {
    lines.push(`${each.client}, ${each.mode}, token ${each.token}`)
    lines.push(`${seconds(each.from)} to ${seconds(each.until)}, ${each.end}`)
  }
  for (const each of faults.filter((fault) => (name !== undefined || fault.row === row) && meets(fault))) {
    lines.push(`${each.kind}: ${each.target}, ${seconds(each.from)} to ${seconds(each.until)}`)
  }
  return lines
}

for (const chart of charts) {
  const { canvas } = chart
  let grip
  canvas.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && !event.shiftKey) return
      event.preventDefault()
      const at = timeAt(event.offsetX, canvas.clientWidth)
      const factor = event.deltaY > 0 ? 1.25 : 0.8
      show(at - (at - view.from) * factor, at + (view.until - at) * factor)
    },
    { passive: false },
  )
  canvas.addEventListener('pointerdown', (event) => {
    grip = { x: event.offsetX, ...view }
    canvas.setPointerCapture(event.pointerId)
  })
  canvas.addEventListener('pointerup', () => (grip = undefined))
  canvas.addEventListener('pointermove', (event) => {
    if (grip) {
      const moved = ((event.offsetX - grip.x) / (canvas.clientWidth - margin)) * (grip.until - grip.from)
      show(grip.from - moved, grip.until - moved)
      return
    }
    const lines = found(chart, event)
    tip.style.display = lines.length > 0 ? 'block' : 'none'
    tip.textContent = lines.join('\n')
    tip.style.left = `${Math.min(event.clientX + 12, window.innerWidth - 430)}px`
    tip.style.top = `${event.clientY + 14}px`
  })
  canvas.addEventListener('pointerleave', () => (tip.style.display = 'none'))
}

const zooms = { in: 0.5, out: 2, all: Infinity }
for (const [name, factor] of Object.entries(zooms)) {
  document.getElementById(name).addEventListener('click', () => {
    const [middle, half] = [(view.from + view.until) / 2, ((view.until - view.from) / 2) * factor]
    if (half === Infinity) show(0, data.length)
    else show(middle - half, middle + half)
  })
}
for (const link of document.querySelectorAll('[data-at]')) {
  link.addEventListener('click', () => {
    const at = Number(link.dataset.at)
    show(at - 2000, at + 2000)
    document.querySelector('canvas').scrollIntoView({ behavior: 'smooth' })
  })
}
window.addEventListener('resize', drawAll)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll)
drawAll()
