"""Limits of this server and its handling of user data, generated from the settings."""

from __future__ import annotations

import platform
from html import escape
from importlib.metadata import PackageNotFoundError, version

from hdr import __version__
from hdr.jobs import resource_limits
from hdr.paths import Makeshift
from hdr.settings import Settings

PACKAGES = ("streamlit", "scikit-learn", "numpy", "opencv-python-headless", "onnxruntime")

NO_LIMIT = "no limit"


def limits(rules: Settings, places: int) -> list[tuple[str, str]]:
    """Return the server's limits as pairs of a name and a value.

    Args:
        rules: the settings.
        places: trainings that run at the same time.
    """
    each, all_of = "You" if rules.demo else "In all", "All visitors"
    pairs = [
        ("Digits in a training, with copies", _most(rules.training_digits, "{:,.0f}")),
        ("Longest training or search", _most(rules.run_minutes, "{:g} min")),
        ("Memory of a training", _most(rules.memory_mb, "{:,.0f} MB", "what the machine has")),
        ("Trainings at the same time", f"{places}"),
        (f"{each}: running or in line", _most(rules.waiting_per_session, "{:,.0f}")),
        (f"{each}: started in 24 hours", _most(rules.trainings_per_session, "{:,.0f}")),
        (f"{each}: work in 24 hours", _most(rules.minutes_per_session, "{:g} min")),
        (f"{all_of}: started in 24 hours", _most(rules.trainings_per_day, "{:,.0f}")),
        ("Longest pause, if others wait", _most(rules.pause_minutes, "{:g} min")),
        (f"{each}: runs kept", _most(rules.kept_runs_per_session, "{:,.0f}")),
        (f"{all_of}: runs kept", _most(rules.kept_runs, "{:,.0f}")),
        ("Runs are kept for", _most(rules.kept_days, "{:g} days")),
        ("Disk for all models", _most(rules.disk_mb, "{:,.0f} MB")),
        ("Uploads", "yes" if rules.uploads else "no"),
        ("Data set of your own", _most(rules.own_digits, "{:,.0f} digits") if rules.uploads else "no"),
    ]
    return [pair for pair in pairs if rules.demo or not pair[0].startswith(all_of)]


def memory_notice() -> str:
    """Return the sentence for systems on which the memory of a training cannot be limited; empty on others."""
    if resource_limits.rss_mb() is not None:
        return ""
    return "Memory limits are off while a training runs, because this system does not report the memory of a process."


def data(rules: Settings, without: Makeshift | None = None) -> list[str]:
    """Describe where user data are stored and for how long, in one or two sentences per kind.

    Args:
        rules: the settings.
        without: how the server runs without a folder to keep things in; None where it has one.
    """
    days = f"for {rules.kept_days:g} days" if rules.kept_days is not None else "until you delete them"
    newest = "; your newest one may stay until room is needed" if rules.kept_days is not None else ""
    mine = (
        "Your browser keeps a random number by which you find your runs again; nobody else sees them, unless the host "
        "publishes them."
        if rules.demo
        else "They are shown to everybody who can open this app: it takes all for the same person."
    )
    kept = (
        "Only where you have agreed, the host keeps the strokes of drawings that you name, until you withdraw."
        if rules.keep_drawings
        else "The host keeps none of them."
    )
    runs = f"Runs and searches are kept on this server's disk {days}{newest}."
    lines = [
        f"Drawings and pictures are read in this server's memory, and gone when you leave. {kept}",
        f"{f'{without.consequence}.' if without else runs} {mine}",
        "What you delete can be brought back for a day. Then it is removed with its files.",
    ]
    if rules.uploads:
        lines.append("A data set of your own is for you alone, and is removed when you leave, or a day later.")
    lines.append("Nothing is sent to anybody else: no adverts, no statistics, no fonts or scripts of other hosts.")
    return lines


def versions() -> list[tuple[str, str]]:
    """Return the versions of the app, of Python and of the main libraries."""
    ours = [("hdr", __version__), ("Python", platform.python_version())]
    return ours + [(name, _version(name)) for name in PACKAGES]


def table(pairs: list[tuple[str, str]]) -> str:
    """Return names and values as HTML."""
    rows = (
        f'<div class="hdr-number"><span>{escape(name)}</span><span>{escape(value)}</span></div>'
        for name, value in pairs
    )
    return f'<div class="hdr-numbers">{"".join(rows)}</div>'


def listing(lines: list[str]) -> str:
    """Return sentences as an HTML list."""
    return f'<ul class="hdr-facts">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def _most(value: float | None, shape: str, without: str = NO_LIMIT) -> str:
    return without if value is None else shape.format(value)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
