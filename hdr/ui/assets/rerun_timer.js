// Reruns the fragment that contains this component after a delay. A later request replaces an earlier one.
const pending = new WeakMap()

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const before = pending.get(parentElement)
  // Streamlit also calls this function when the theme changes.
  if (!before || before.turn !== data.turn) {
    if (before) clearTimeout(before.timer)
    const timer = setTimeout(() => setTriggerValue("due", data.turn), data.milliseconds)
    pending.set(parentElement, { turn: data.turn, timer })
  }
  return () => clearTimeout(pending.get(parentElement).timer)
}
