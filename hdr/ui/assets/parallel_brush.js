// Tells the server what is brushed in the parallel coordinates: the page makes the plot anew when a trial has ended,
// and only who draws it can keep the brush.
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
