// Pictures side by side with a shared pointer: it marks the same pixel in all of them, with the value below each.
// A panel of kind "change" shows the second of two pictures minus the first; one of kind "divider" shows both, with a
// draggable edge between them.

function element(tag, className, parent, text = "") {
  const made = document.createElement(tag)
  made.className = className
  made.textContent = text
  parent.append(made)
  return made
}

async function decode(uri) {
  const image = new Image()
  image.src = uri
  await image.decode()
  const canvas = document.createElement("canvas")
  canvas.width = image.naturalWidth
  canvas.height = image.naturalHeight
  const context = canvas.getContext("2d", { willReadFrequently: true })
  context.drawImage(image, 0, 0)
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data
  return { width: canvas.width, height: canvas.height, at: (x, y) => pixels[4 * (y * canvas.width + x)] }
}

function paint(view, row) {
  const { kind, display } = view.panel
  const [first, second] = view.layers
  const canvas = view.canvas
  if (canvas.width !== first.width || canvas.height !== first.height) {
    canvas.width = first.width
    canvas.height = first.height
  }
  const context = canvas.getContext("2d")
  const picture = context.createImageData(first.width, first.height)
  const colours = COLOURS[kind === "change" ? "signed" : display]
  // Scale a change by its largest value; otherwise a faint one would be white on white.
  let most = 1
  if (kind === "change")
    for (let y = 0; y < first.height; y++)
      for (let x = 0; x < first.width; x++) most = Math.max(most, Math.abs(second.at(x, y) - first.at(x, y)))
  const edge = kind === "divider" ? Math.round(row.divider * first.width) : first.width
  for (let y = 0, to = 0; y < first.height; y++)
    for (let x = 0; x < first.width; x++, to += 4) {
      const value = kind === "change" ? 128 + Math.trunc(((second.at(x, y) - first.at(x, y)) * 127) / most) : (x < edge ? first : second).at(x, y)
      for (let c = 0; c < 3; c++) picture.data[to + c] = colours ? colours[value][c] : value
      picture.data[to + 3] = 255
    }
  context.putImageData(picture, 0, 0)
}

// Maps grey values to RGB for each display mode with colours; the server fills it in.
const COLOURS = "COLOURS"

const signed = (value) => (value > 0 ? "+" : value < 0 ? "−" : "") + Math.abs(value)

function told(view, x, y) {
  const values = view.layers.map((layer) => layer.at(x, y))
  if (view.panel.kind === "change") return signed(values[1] - values[0])
  const one = { signed: (v) => signed(v - 128), angle: (v) => (v ? Math.round(((v - 1) * 360) / 255) + "°" : "none") }[view.panel.display] ?? String
  return values.map(one).join(" | ")
}

function build(panel, layers, root) {
  const box = element("figure", panel.kind, root)
  if (layers[0].width > 64) box.classList.add("photo")
  element("figcaption", "over", box, panel.title).title = panel.title
  const frame = element("div", "frame", box)
  frame.style.aspectRatio = `${layers[0].width} / ${layers[0].height}`
  const view = { panel, layers, frame, canvas: element("canvas", "", frame), pixel: element("div", "pixel", frame) }
  view.canvas.setAttribute("role", "img")
  view.canvas.setAttribute("aria-label", panel.title)
  if (panel.kind === "divider") {
    view.edge = element("div", "edge", frame)
    view.range = element("input", "range", box)
    Object.assign(view.range, { type: "range", min: 0, max: 1000 })
    view.range.setAttribute("aria-label", "Divider between the two pictures")
  }
  view.readout = element("div", "readout", box)
  if (panel.histogram) Object.assign(element("img", "bars", box), { src: panel.histogram, alt: "Histogram of grey values" })
  for (const note of panel.notes) element("div", "note", box, note)
  return view
}

function divide(row, share) {
  row.divider = Math.min(1, Math.max(0, share))
  for (const view of row.views.filter((v) => v.edge)) {
    view.edge.style.left = row.divider * 100 + "%"
    view.range.value = row.divider * 1000
    paint(view, row)
  }
}

function point(row, x, y) {
  for (const [i, view] of row.views.entries()) {
    const { width, height } = view.layers[0]
    const inside = x !== undefined && x < width && y < height
    view.pixel.hidden = !inside
    view.readout.textContent = inside ? `${told(view, x, y)}  at ${x}, ${y}` : i === 0 ? row.hint : ""
    if (inside) {
      const share = { left: x / width, top: y / height, width: 1 / width, height: 1 / height }
      for (const [name, value] of Object.entries(share)) view.pixel.style[name] = value * 100 + "%"
    }
  }
}

function listen(view, row) {
  const { width, height } = view.layers[0]
  const follow = (event) => {
    const box = view.canvas.getBoundingClientRect()
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
    if (view.edge && event.buttons) divide(row, x)
    const pixel = (share, size) => Math.min(size - 1, Math.max(0, Math.floor(share * size)))
    point(row, pixel(x, width), pixel(y, height))
  }
  view.frame.onpointermove = follow
  view.frame.onpointerdown = follow
  view.frame.onpointerleave = () => point(row)
  if (view.range) view.range.oninput = () => divide(row, view.range.value / 1000)
}

const rows = new WeakMap()

export default function (component) {
  const { data, parentElement } = component
  const row = rows.get(parentElement) ?? { divider: 0.5, turn: 0 }
  rows.set(parentElement, row)
  const turn = ++row.turn
  // Keep the old pictures until all new ones are decoded, to avoid flicker.
  Promise.all(data.panels.map((panel) => Promise.all(panel.pictures.map(decode)))).then((decoded) => {
    if (row.turn !== turn) return
    const root = parentElement.querySelector(".row")
    root.replaceChildren()
    row.hint = data.hint
    row.views = data.panels.map((panel, i) => build(panel, decoded[i], root))
    for (const view of row.views) {
      paint(view, row)
      listen(view, row)
    }
    divide(row, row.divider)
    point(row)
  })
}
