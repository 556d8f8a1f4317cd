"""Numbers as people read them: one format for pages, messages and model cards."""

from __future__ import annotations

_NO_BREAK = "\u00a0"
"""A space at which no line breaks, between a number and its unit."""


def format_percent(share: float, digits: int = 2) -> str:
    """Format a share of 1 as ``98.92%``. Only 0 and 1 are shown as 0% and 100%.

    Args:
        share: 0 to 1.
        digits: decimals.
    """
    step = 10.0**-digits
    text = f"{share * 100:.{digits}f}"
    # The text is compared, because no float lies exactly half a step below 100.
    if share < 1 and float(text) >= 100:
        text = f"{100 - step:.{digits}f}"
    if share > 0 and float(text) == 0:
        text = f"<{step:.{digits}f}"
    return f"{text}%"


def format_points(difference: float) -> str:
    """Format a difference of two shares in percentage points, with its sign: +0.42, −1.30, ±0.00."""
    sign = "+" if difference > 0 else "−" if difference < 0 else "±"
    return f"{sign}{abs(difference) * 100:.2f}"


def format_number(value: float) -> str:
    """Format a number with four significant digits and a typographic minus."""
    return f"{value:.4g}".replace("-", "−")


def format_count(number: int) -> str:
    """Format a count as ``60,000``."""
    return f"{number:,}"


def format_duration(seconds: float) -> str:
    """Format a time with two significant digits and its unit: 0.42 ms, 3.1 s, 2.5 min."""
    ranges = ((1e-3, 1e6, "µs"), (1, 1e3, "ms"), (100, 1, "s"), (6000, 1 / 60, "min"), (float("inf"), 1 / 3600, "h"))
    factor, unit = next((factor, unit) for limit, factor, unit in ranges if seconds < limit)
    value = seconds * factor
    return f"{value:.0f}{_NO_BREAK}{unit}" if value >= 9.95 else f"{value:.1f}{_NO_BREAK}{unit}"
