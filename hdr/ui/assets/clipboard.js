// Sends a picture that is pasted anywhere on the page, as base64.
export default function (component) {
  const { parentElement, setStateValue } = component
  const words = parentElement.querySelector(".paste")
  const take = (event) => {
    const items = [...((event.clipboardData && event.clipboardData.items) || [])]
    const item = items.find((i) => i.kind === "file" && i.type.startsWith("image/"))
    if (!item) return
    event.preventDefault()
    const reader = new FileReader()
    reader.onload = () => {
      words.textContent = "Pasted. Paste another picture to replace it."
      setStateValue("picture", String(reader.result).split(",")[1] || "")
    }
    reader.readAsDataURL(item.getAsFile())
  }
  document.addEventListener("paste", take)
  return () => document.removeEventListener("paste", take)
}
