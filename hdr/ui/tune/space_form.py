"""Widgets of the search space, the strategy and the budget, generated from the parameter declarations."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from hdr import catalogue
from hdr.formatting import format_count, format_duration
from hdr.tuning.search_spec import MAX_MINUTES, MAX_TRIALS, METHODS, SearchSpec
from hdr.tuning.space import Dimension, reachable_dimensions
from hdr.types import HdrError
from hdr.ui.components import run_estimate
from hdr.ui.components.parameter_widgets import log_values
from hdr.ui.state import assignment_state, run_config, search_config
from hdr.ui.train import config_form
from hdr.ui.tune import formatting

HELP = {
    "tpe": "**TPE** tries more where trials have been good so far (tree-structured Parzen estimator).",
    "random": "**Random** tries anywhere in the space: hard to beat where many things vary and few matter.",
    "grid": "**Grid** tries every combination of a few values of each, in an order drawn from the seed.",
    "halving": "**Halving** begins many at little effort, and lets the better half of them go on (successive halving).",
}
TITLES = {name: title.split()[-1].capitalize() if name == "halving" else title for name, title in METHODS.items()}
TITLES["tpe"] = "TPE"

VALIDATION = {"split": "One split", 3: "3 folds", 5: "5 folds"}
VALIDATION_HELP = (
    "**One split** scores every trial on the plan's validation digits: quick. **Folds** cut the training digits into 3 "
    "or 5 parts, leave each out once and take the mean: slower by as much, and steadier. The test digits have no say."
)


def widgets() -> None:
    """Show the widgets of all parts of a search."""
    draft = search_config.current()
    offered = assignment_state.restrict(reachable_dimensions(draft.base, draft.space))
    st.html('<div class="hdr-note">Tick what may vary; everything else stays as in the plan.</div>')
    for name, title in formatting.GROUPS.items():
        _group(title, [d for d in offered if formatting.group_of(d) == name], draft.space)
    _how(draft)
    with st.expander("The plan that it varies", key="tune_plan", on_change="rerun", icon=":material/checklist:") as box:
        if box.open:
            config_form.widgets()


def _group(title: str, offered: Sequence[Dimension], space: Sequence[Dimension]) -> None:
    ticked = [d for d in assignment_state.restrict(space) if d.path in {o.path for o in offered}]
    titles = _titles(offered)
    # Another key for other options: an old selection would be taken for a new one.
    key = search_config.widget_key(f"{title}-{catalogue.key_of(list(titles))}")
    if not offered:
        return
    st.session_state[f"_tune_pills_{title}"] = key
    st.pills(
        title,
        list(titles),
        selection_mode="multi",
        format_func=titles.__getitem__,
        default=[d.path for d in ticked],
        key=key,
        on_change=_tick,
        args=(title, key, offered),
    )
    if not ticked:
        return
    with st.container(border=True, key=search_config.widget_key(f"narrow-{title}"), gap="small"):
        places = st.columns(2, gap="medium") if len(ticked) > 1 else [st.container()]
        wide = [d for d in ticked if not d.ranged and len(d.parameter.choices) > search_config.FEW]
        for number, one in enumerate(d for d in ticked if d not in wide):
            with places[number % len(places)]:
                _narrow(one, titles[one.path])
        for one in wide:
            _narrow(one, titles[one.path])


def _tick(title: str, key: str, offered: Sequence[Dimension]) -> None:
    # Ignore late values from pills that others have replaced.
    if st.session_state[f"_tune_pills_{title}"] == key:
        search_config.select(st.session_state[key], offered)


def _titles(offered: Sequence[Dimension]) -> dict[str, str]:
    entries = {d.group for d in offered if "." in d.path}
    named = formatting.names(offered)
    if len(entries) > 1:
        return {
            d.path: named[d.path] if d.path.endswith(".on") or "." not in d.path else _qualified(d) for d in offered
        }
    return {d.path: d.parameter.title if not d.path.endswith(".on") else d.group for d in offered}


def _qualified(one: Dimension) -> str:
    return f"{one.group.split(': ', 1)[-1]}: {one.parameter.title.lower()}"


def _narrow(one: Dimension, title: str) -> None:
    help_text = one.parameter.help
    key = search_config.widget_key(f"{one.path}")
    if not one.ranged:
        st.pills(
            title,
            list(_offered(one)),
            selection_mode="multi",
            format_func=lambda value: formatting.show(one, value),
            default=list(one.choices),
            key=key,
            help=help_text,
            on_change=lambda: search_config.set_range(one.path, choices=_in_order(one, st.session_state[key])),
        )
        if len(one.choices) == 1:
            st.html('<div class="hdr-note">One value alone does not vary: choose another one too.</div>')
        return
    own, (low, high) = one.parameter, one.limits
    common: dict[str, Any] = {
        "key": key,
        "help": help_text,
        "on_change": lambda: search_config.set_range(one.path, *st.session_state[key]),
    }
    if own.log:
        # Kept as long as the widget: were a bound that is off the scale to vanish, all others would move up.
        scale = st.session_state.setdefault(f"{key}-scale", sorted({*log_values(own, low), high}))
        st.select_slider(title, scale, (low, high), format_func=own.shown, **common)
        return
    least, most = own.limits
    step = own.type(own.step or (1 if own.type is int else (most - least) / 100))
    unit = own.unit.replace("%", "%%")
    places = "%d" if own.type is int else "%.1f" if step >= 0.1 else "%.2f"
    st.slider(
        title,
        own.type(least),
        own.type(most),
        (own.type(low), own.type(high)),
        step,
        format=f"{places} {unit}".strip(),
        **common,
    )


def _offered(one: Dimension) -> tuple[Any, ...]:
    # A link may have joined extractors in its own way.
    declared = (False, True) if one.parameter.type is bool else one.parameter.choices
    return tuple(dict.fromkeys((*declared, *one.choices)))


def _in_order(one: Dimension, chosen: Sequence[Any]) -> list[Any]:
    return [value for value in _offered(one) if value in chosen]


def _how(draft: search_config.SearchConfig) -> None:
    method = search_config.widget_key("method")
    st.segmented_control(
        "How it searches",
        list(TITLES),
        format_func=TITLES.__getitem__,
        default=draft.method,
        key=method,
        help="  \n".join(HELP.values()),
        required=True,
        on_change=lambda: search_config.change(method=st.session_state[method]),
    )
    validation, prune = search_config.widget_key("validation"), search_config.widget_key(f"prune-{draft.method}")
    # A row that wraps: in two columns the choices would be cut off on a small laptop.
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Scored on",
            list(VALIDATION),
            format_func=VALIDATION.__getitem__,
            default=draft.validation,
            key=validation,
            help=VALIDATION_HELP,
            required=True,
            on_change=lambda: search_config.change(validation=st.session_state[validation]),
        )
        st.toggle(
            "Stop weak trials early",
            draft.prune or draft.method == "halving",
            key=prune,
            help="A trial that is worse than the median of the others at the same point of its curve is given up. "
            "Successive halving always does so, in its own way.",
            disabled=draft.method == "halving",
            on_change=lambda: search_config.change(prune=st.session_state[prune]),
        )
    _budget(draft)


def _budget(draft: search_config.SearchConfig) -> None:
    trials, minutes, seed = (search_config.widget_key(name) for name in ("trials", "minutes", "search-seed"))
    places = st.columns(3, gap="small")
    with places[0]:
        st.number_input(
            "Trials at most",
            1,
            MAX_TRIALS,
            draft.most_trials,
            key=trials,
            help="It ends after so many. It can go on later with more.",
            on_change=lambda: search_config.change(most_trials=st.session_state[trials]),
        )
    with places[1]:
        st.number_input(
            "Minutes at most",
            0.0,
            MAX_MINUTES,
            draft.most_minutes,
            1.0,
            format="%g",
            key=minutes,
            help="It begins no trial after so many minutes of work; 0 for no limit. What is reached first counts.",
            on_change=lambda: search_config.change(most_minutes=st.session_state[minutes]),
        )
    with places[2]:
        st.number_input(
            "Seed of the search",
            0,
            2**31 - 1,
            draft.seed,
            key=seed,
            help="Decides which values are drawn. The digits and the first weights follow the plan's own seed.",
            on_change=lambda: search_config.change(seed=st.session_state[seed]),
        )


def checked() -> tuple[SearchSpec | None, str]:
    """Return the search if it can be started, and otherwise the reason why not."""
    try:
        return search_config.current().spec, ""
    except HdrError as error:
        return None, str(error)


def refusal(problem: str) -> None:
    """Show why the search cannot be started."""
    st.html(f'<div class="hdr-note" role="status"><b>{escape(problem)}</b></div>', width="stretch")


def cost(spec: SearchSpec) -> None:
    """Show the number of candidate trials and their approximate total time."""
    size, words = spec.grid_size, ""
    if spec.method == "grid":
        tried = min(spec.most_trials, size)
        some = (
            "all of them are tried" if tried == size else f"{tried} of them are tried, in an order drawn from the seed"
        )
        words = f"A grid of {format_count(size)} combinations; {some}. "
        trials = tried
    else:
        trials = spec.most_trials
    st.html(f'<div class="hdr-note">{words}{_time(spec, trials)}</div>', width="stretch")


def _time(spec: SearchSpec, trials: int) -> str:
    seconds = run_estimate.seconds(run_config.current())
    folds = 1 if spec.validation == "split" else int(spec.validation)
    times = f"{trials} trials" + (f" of {folds} fits each" if folds > 1 else "")
    if spec.most_minutes:
        times += f", or {format_duration(60 * spec.most_minutes)}"
    if seconds is None:
        return f"{times}."
    total = format_duration(trials * folds * seconds)
    less = ", less where weak ones are stopped" if spec.prune else ""
    return f"{times}: about {total}, if each takes as long as the plan itself{less}. The plan itself:"
