"""Write docs/settings.md from the settings themselves: ``python -m tools.settings_page``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hdr import settings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

HEAD = """# Settings of a host

<!-- Written by `python -m tools.settings_page`; change hdr/settings.py instead. -->

Each is an environment variable, or a line of `.streamlit/secrets.toml` (beside the app, where it is started, or in
one's home folder). What is set nowhere has its profile's default. `none` means no limit. A value that cannot be is
said on every page, with what would be right. Where a name stands in both places, the environment counts, but
Streamlit's own server puts text and numbers of its secrets before the environment: set each in one place only.

A public server needs one line, `HDR_PROFILE = "demo"`; its limits suit one or two small cores and 1 GB of memory.

"""


def page() -> str:
    """The whole page, as Markdown."""
    rows = ["| Setting | local | demo | What it is |", "|---|---|---|---|"]
    for name, field in settings.Settings.model_fields.items():
        local, demo = (_shown(settings.default(name, profile)) for profile in settings.PROFILES)
        rows.append(f"| `{settings.variable(name)}` | {local} | {demo} | {field.description} |")
    return HEAD + "\n".join(rows) + "\n\n" + example()


def example() -> str:
    """A file of secrets in which everything is commented out but the profile."""
    lines = ["## .streamlit/secrets.toml", "", "```toml", 'HDR_PROFILE = "demo"']
    for name in settings.NAMES[1:]:
        lines.append(f"# It must be {settings.right(name)}.")
        lines.append(f"# {settings.variable(name)} = {_toml(settings.default(name, 'demo'))}")
    return "\n".join([*lines, "```", ""])


def _shown(value: Any) -> str:
    if value is None or value == ():
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,g}" if isinstance(value, int | float) else str(value)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else f'"{value or ""}"'


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
