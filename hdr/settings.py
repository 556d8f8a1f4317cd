"""What whoever runs a server may set, all of it: one field per setting, with safe defaults for two profiles.

A setting is read from the environment variable ``HDR_`` and its name in capitals, or else from
``.streamlit/secrets.toml``, where it has the same name; or else it has its profile's default.
"""

from __future__ import annotations

import hmac
import os
import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator

from hdr import entry, redaction
from hdr.types import HdrError

PREFIX = "HDR_"

Profile = Literal["local", "demo"]
PROFILES: tuple[Profile, ...] = get_args(Profile)

LONGEST_SHOWN = 40
SHORTEST_WORD = 8
"""Letters that an admin word has at least."""


class SettingsError(HdrError):
    """A setting has a value that it cannot have; the message says which value and what would be right."""


_SAME: Any = object()


def _setting(local: Any, text: str, right: str, demo: Any = _SAME, **limits: Any) -> Any:
    # `right` ends the sentence "it must be ...".
    default = local if demo is _SAME else demo
    return Field(local, description=text, json_schema_extra={"right": right, "demo": default}, **limits)


def _most(unit: str, local: float | None, demo: float | None, text: str, least: float = 1) -> Any:
    right = f"a number of {unit}, {least:g} or more, or none for no limit"
    return _setting(local, text, right, demo, ge=least, allow_inf_nan=False)


def _count(unit: str, local: int | None, demo: int | None, text: str, least: int = 1) -> Any:
    right = f"a whole number of {unit}, {least} or more, or none for no limit"
    return _setting(local, text, right, demo, ge=least)


class Settings(BaseModel):
    """Everything that a host may set. Where a number may be None, that means no limit of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    profile: Profile = _setting(
        "local",
        "`local` for one's own machine: everything belongs to one person, and nothing is limited. `demo` where many "
        "people share a server: each has runs of their own, and the limits below hold.",
        "local or demo",
        "demo",
    )
    home: Path | None = _setting(
        None,
        "The folder for downloads, runs and models. Not set, it is the platform's folder for user data.",
        "a folder",
    )
    datasets: Path | None = _setting(
        None,
        "A folder in which data sets are looked for first. It is only read.",
        "a folder",
    )
    mirrors: tuple[str, ...] = _setting(
        (),
        "Addresses that MNIST is fetched from instead of the published ones, separated by commas.",
        "addresses that begin with http:// or https://, separated by commas",
    )

    store: SecretStr | None = _setting(
        None,
        "Address of the database for runs and searches, as SQLAlchemy writes it: "
        "`postgresql+psycopg://user:password@host/database`. Not set, it is an SQLite file in `HDR_HOME`.",
        "an address like postgresql+psycopg://user:password@host/database, or sqlite:///file",
    )
    artifacts: SecretStr | None = _setting(
        None,
        "Where the models of runs go, as fsspec writes it: a shared folder, `s3://bucket/folder` and others. Not set, "
        "it is the folder `models` in `HDR_HOME`.",
        "a folder from the root on, or an address like s3://bucket/folder",
    )
    dask: str | None = _setting(
        None,
        "Address of the scheduler of a Dask cluster, whose workers then do trainings and searches: `tcp://host:8786`. "
        "Not set, this machine does them.",
        "an address like tcp://host:8786",
    )

    training_digits: int | None = _count(
        "digits", None, 20_000, "Digits that a training may learn from, distorted copies counted.", 500
    )
    run_minutes: float | None = _most(
        "minutes", None, 10.0, "Longest time that a training or a search may work; pauses do not count.", 0.1
    )
    memory_mb: float | None = _setting(
        None,
        "Memory of one training, in megabytes. A plan that would need more is refused, and a process that takes more "
        "is ended. Not set, it is what the machine or its container has.",
        "a number of megabytes above 0, or none for what the machine has",
        450.0,
        gt=0,
        allow_inf_nan=False,
    )
    trainings_at_once: int | None = _setting(
        None,
        "Trainings and searches that run at the same time; others wait in line. Not set, it is half the cores.",
        "a whole number of trainings, 1 or more, or none for half the cores",
        ge=1,
        le=64,
    )
    niceness: int = _setting(
        10,
        "How much less urgent trainings are than pages, as `nice` counts it: whoever draws while others train is "
        "answered first, and a machine with nothing else to do trains as fast as ever.",
        "a whole number from 0 to 19",
        ge=0,
        le=19,
    )
    pause_minutes: float | None = _most(
        "minutes",
        None,
        3.0,
        "So long a paused training keeps its place while others wait; then they have it, and the training goes on "
        "by itself once it has a place again.",
        0.1,
    )
    waiting_per_session: int | None = _count(
        "trainings", None, 5, "Trainings and searches that one visitor may have running or in line at a time."
    )
    trainings_per_session: int | None = _count(
        "trainings", None, 40, "Trainings and searches that one visitor may start within 24 hours."
    )
    minutes_per_session: float | None = _most(
        "minutes", None, 60.0, "Minutes that the trainings and searches of one visitor may work within 24 hours."
    )
    trainings_per_day: int | None = _count(
        "trainings", None, 1_000, "Trainings and searches that all visitors together may start within 24 hours."
    )

    kept_runs_per_session: int | None = _count(
        "runs", None, 20, "Runs kept of one visitor; older ones are cleaned away. Published runs stay."
    )
    kept_runs: int | None = _count("runs", None, 300, "Runs kept of all visitors together; older ones go first.")
    kept_days: float | None = _most("days", None, 7.0, "Days after which runs and searches are cleaned away.", 0.01)
    disk_mb: float | None = _most(
        "megabytes",
        None,
        500.0,
        "Disk space for the models of runs. Where they take more, the oldest runs are cleaned away, and while that is "
        "not enough, no training starts.",
        10,
    )

    uploads: bool = _setting(True, "Whether visitors may upload pictures, plans and data sets.", "on or off")
    own_digits: int | None = _count(
        "digits", 300_000, 10_000, "Largest data set of one's own that may be uploaded, in digits.", 10
    )
    own_data_mb: float | None = _most(
        "megabytes", 1_000.0, 64.0, "Memory for the data sets that visitors have uploaded, all sessions together."
    )
    keep_drawings: bool = _setting(
        False,
        "Whether visitors who name their drawings are asked if you may keep them, in the folder `collected`. Only of "
        "those who agree, strokes and labels are kept, until they withdraw.",
        "on or off",
    )
    admin_word: SecretStr | None = _setting(
        None,
        f"A word that opens deleting and publishing of any run on the page About; {SHORTEST_WORD} letters or more. "
        "Not set, nobody can do so.",
        f"a word of {SHORTEST_WORD} letters or more",
        min_length=SHORTEST_WORD,
    )

    @field_validator("home", "datasets")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        return folder and folder.expanduser().absolute()

    @field_validator("store", "artifacts", "dask")
    @classmethod
    def _an_address(cls, address: Any, info: ValidationInfo) -> Any:
        plain = address.get_secret_value() if isinstance(address, SecretStr) else address
        if plain is not None and not redaction.KNOWN[info.field_name or ""](plain):
            # Without what is written there: what cannot be read may hold a password anywhere.
            raise ValueError("not such an address")
        return address

    @field_validator("mirrors", mode="before")
    @classmethod
    def _separate(cls, named: Any) -> Any:
        parts = named.split(",") if isinstance(named, str) else named
        return tuple(str(part).strip() for part in parts if str(part).strip())

    @property
    def demo(self) -> bool:
        """True where many people share the server."""
        return self.profile == "demo"

    def is_admin_word(self, said: str) -> bool:
        """Whether this is the admin word; takes the same time however much of it is right. False where none is set."""
        known = self.admin_word
        return known is not None and hmac.compare_digest(
            known.get_secret_value().encode(), said.encode(errors="replace")
        )


NAMES: tuple[str, ...] = tuple(Settings.model_fields)
"""The settings, in the order of the document."""


SECRET = frozenset(name for name, field in Settings.model_fields.items() if SecretStr in get_args(field.annotation))
"""Those whose values are never shown."""


def variable(name: str) -> str:
    """What a setting is called in the environment and in the secrets: ``HDR_RUN_MINUTES``."""
    return PREFIX + name.upper()


_CALLED = tuple((name, variable(name)) for name in NAMES)


def default(name: str, profile: Profile) -> Any:
    """A setting's value in a profile where nobody has set it."""
    return _declared(name)["demo"] if profile == "demo" else Settings.model_fields[name].default


def right(name: str) -> str:
    """What a setting may be, as the end of a sentence: "it must be ..."."""
    return _declared(name)["right"]


def _declared(name: str) -> dict[str, Any]:
    extra = Settings.model_fields[name].json_schema_extra
    if not isinstance(extra, dict):
        raise TypeError(f"the setting {name} is not declared by `_setting`")
    return extra


def current() -> Settings:
    """The settings of this process, as they are now.

    Raises:
        SettingsError: a value is not one that its setting can have, or a file of secrets cannot be read.
    """
    secrets = _secrets()
    said = ((name, os.environ.get(called, "").strip() or secrets.get(called)) for name, called in _CALLED)
    return _settled(tuple((name, value) for name, value in said if value is not None))


def from_values(said: Mapping[str, Any]) -> Settings:
    """Settings from what somebody has written, by name; what is left out or empty takes its profile's default.

    Raises:
        SettingsError: a value is not one that its setting can have.
    """
    values = {name: _read(name, value) for name, value in said.items()}
    values = {name: value for name, value in values.items() if value is not _SAME}
    profile = values.get("profile", "local")
    if profile == "demo":
        values = {**{name: default(name, profile) for name in NAMES}, **values}
    try:
        return Settings(**values)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        # A secret is not to stand on a page, nor in a log.
        shown = (
            "not one that it can have"
            if name in SECRET
            else f"'{redaction.redact_url(str(said.get(name)))[:LONGEST_SHOWN]}'"
        )
        raise SettingsError(f"{variable(name)} is {shown}; it must be {right(name)}.") from None


@lru_cache(maxsize=8)
def _settled(said: tuple[tuple[str, Any], ...]) -> Settings:
    return from_values(dict(said))


def _read(name: str, value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return _SAME
        if name == "profile":
            return value.lower()
        if value.lower() == "none" and _may_be_none(name):
            return None
    # A word of digits alone is a number in a file.
    return str(value) if name in SECRET else value


def _may_be_none(name: str) -> bool:
    return type(None) in get_args(Settings.model_fields[name].annotation)


def _secrets() -> dict[str, Any]:
    # As in Streamlit, the file beside the entry script comes before that of the current folder, which may be any.
    found: dict[str, Any] = {}
    for folder in dict.fromkeys(("~", ".", str(entry.folder()))):
        path = Path(os.path.expanduser(folder), ".streamlit", "secrets.toml")
        try:
            stamp = path.stat()
        except OSError:
            continue
        found |= dict(_parsed(path, stamp.st_mtime_ns, stamp.st_size))
    return found


@lru_cache(maxsize=8)
def _parsed(path: Path, _changed: int, _size: int) -> tuple[tuple[str, Any], ...]:
    try:
        known = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        # Without what the error quotes: that may be a secret.
        where = re.search(r"at line \d+", str(error))
        line = f" ({where[0]})" if where else ""
        raise SettingsError(
            f"{path} cannot be read as TOML{line}; a line is written like {PREFIX}UPLOADS = false."
        ) from None
    return tuple((k, _plain(v)) for k, v in known.items() if k.startswith(PREFIX))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return value if isinstance(value, str | int | float | bool) else str(value)
