"""Controls of a running training: its buttons, and sliders for settings that may change during training."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import streamlit as st

from hdr import catalogue
from hdr.store.run_commands import Command, Kind
from hdr.store.run_progress import Progress
from hdr.store.run_record import Run
from hdr.ui.components.messages import toast_errors
from hdr.ui.components.parameter_widgets import parameter_widget
from hdr.ui.state import assignment_state, identity, resources


def buttons(run: Run, seen: Progress, commands: list[Command]) -> None:
    """Show the buttons: pause or resume, one epoch, stop and keep, stop; nothing for another user's run."""
    if not _mine(run):
        return
    # Without help texts: a button with one takes two Tab stops. The note below explains the buttons.
    if run.status == "running":
        if asked(commands) == "pause" or (seen.phase == "paused" and asked(commands) != "go"):
            _button(run, "go", "Go on", ":material/play_arrow:")
        else:
            _button(run, "pause", "Pause", ":material/pause:")
        _button(run, "step", f"One {_stage(run)}", ":material/skip_next:")
        over = asked(commands) == "keep" or seen.phase == "testing"
        _button(run, "keep", "Stop and keep", ":material/save:", disabled=over)
    st.button("Stop", icon=":material/stop:", key="stop", on_click=lambda: resources.processes().stop(run.id))


def note(run: Run) -> None:
    """Show a one-line explanation of the buttons and sliders."""
    if run.status != "running" or not _mine(run):
        return
    stage, live = _stage(run), catalogue.get("classifier", run.spec.classifier.name).facts.get("live")
    where = "within the epoch" if live else "when this stage is finished"
    change = " A slider counts from the next epoch on, and is written down with the run." if live else ""
    keep = f"Stop and keep measures the last finished {stage} and keeps it; Stop keeps nothing."
    st.html(f'<div class="hdr-note">Pause waits {where}. {keep}{change}</div>')


def asked(commands: list[Command]) -> Kind | None:
    """Return the kind of the last command, ignoring changes of settings; an unparked run counts as resumed."""
    last = next((c.kind for c in reversed(commands) if c.kind not in ("change", "park")), None)
    return "go" if last == "place" else last


def sliders(run: Run, seen: Progress, commands: list[Command]) -> None:
    """Show sliders for the settings that the classifier can change during training, if any."""
    entry = catalogue.get("classifier", run.spec.classifier.name)
    can = [p for p in entry.parameters if p.name in entry.facts.get("live", ())]
    live = [p for p in can if assignment_state.parameter_is_free("classifier", entry.name, p.name)]
    if not live or not _mine(run) or run.status != "running" or seen.phase == "testing":
        return
    epoch = seen.points[-1].step if seen.points else 0
    wanted = resources.steering().wanted(run.spec, commands, epoch)
    with st.container(horizontal=True, key="live_parameters"):
        for parameter in live:
            with st.container(width=190):
                key = _widget_key(run.id, parameter.name, wanted[parameter.name])
                parameter_widget(parameter, wanted[parameter.name], key, _change, (run.id, parameter.name, key))


def _mine(run: Run) -> bool:
    # Every user may watch a published run.
    return run.owner == identity.owner() or not identity.demo()


def _button(run: Run, kind: Kind, title: str, icon: str, disabled: bool = False) -> None:
    # The token belongs to the button as it was drawn: one click is one command, however often it arrives.
    arguments = (run.id, kind, secrets.token_hex(16), None)
    st.button(title, icon=icon, key=kind, disabled=disabled, on_click=_send, args=arguments)


def _send(run: str, kind: Kind, token: str, values: Mapping[str, Any] | None) -> None:
    with toast_errors():
        resources.steering().send(run, kind, token, values)


def _change(run: str, name: str, key: str) -> None:
    _send(run, "change", secrets.token_hex(16), {name: st.session_state[key]})


def _widget_key(run: str, name: str, wanted: Any) -> str:
    # A slider moved in another tab gets a new key, so that it shows the new value here.
    revision = f"_live_{run}_{name}"
    key = f"live-{st.session_state.get(revision, 0)}-{name}-{run}"
    if key in st.session_state and st.session_state[key] != wanted:
        st.session_state[revision] = st.session_state.get(revision, 0) + 1
    return f"live-{st.session_state.get(revision, 0)}-{name}-{run}"


def _stage(run: Run) -> str:
    epochs = catalogue.get("classifier", run.spec.classifier.name).facts["progress"] == "epochs"
    return "epoch" if epochs else "stage"
