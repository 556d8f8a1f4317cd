// Sends the brushed ranges of the parallel coordinates to the server: the page redraws the plot after each trial, and the
// server has to draw the brushes again.
export default function (component) {
  const { data, setStateValue } = component
  let plot = null
  const tell = () => {
    const ranges = plot.data[0].dimensions.map((d) => d.constraintrange || null)
    setStateValue("ranges", { search: data.search, ranges })
  }
  const look = () => {
    const found = document.querySelector(".st-key-tune_parallel .js-plotly-plot")
    if (!found || found === plot || !found.on) return
    plot = found
    plot.on("plotly_restyle", tell)
  }
  const timer = setInterval(look, 250)
  look()
  return () => {
    clearInterval(timer)
    if (plot && plot.removeListener) plot.removeListener("plotly_restyle", tell)
  }
}
