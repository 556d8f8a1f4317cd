"""A host's settings: where they come from, which comes first, and what a wrong one says."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hdr import entry, paths, redaction
from hdr.settings import NAMES, SettingsError, current, default, from_values, variable
from tools import settings_page


@pytest.fixture(autouse=True)
def _bare(monkeypatch, tmp_path):
    for name in NAMES:
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.chdir(tmp_path)


def secrets(text: str) -> None:
    Path(".streamlit").mkdir(exist_ok=True)
    Path(".streamlit/secrets.toml").write_text(text)


def test_nothing_is_limited_on_ones_own_machine_and_much_in_the_demo(monkeypatch):
    local = current()
    assert not local.demo and local.run_minutes is None and local.training_digits is None and local.kept_runs is None
    monkeypatch.setenv("HDR_PROFILE", "Demo ")
    demo = current()
    assert demo.demo and demo.run_minutes == 10 and demo.training_digits == 20_000
    assert {name: getattr(demo, name) for name in NAMES} == {name: default(name, "demo") for name in NAMES}


def test_the_environment_comes_before_the_secrets_and_both_before_the_profile(monkeypatch):
    secrets('HDR_PROFILE = "demo"\nHDR_RUN_MINUTES = 4\nHDR_UPLOADS = false\nOTHER = 1\nHDR_KEPT_RUNS = 7')
    monkeypatch.setenv("HDR_KEPT_RUNS", "9")
    monkeypatch.setenv("HDR_UPLOADS", "")
    found = current()
    assert (found.demo, found.run_minutes, found.uploads, found.kept_runs) == (True, 4, False, 9)
    assert found.kept_runs_per_session == default("kept_runs_per_session", "demo")


def test_none_lifts_a_limit(monkeypatch):
    monkeypatch.setenv("HDR_PROFILE", "demo")
    monkeypatch.setenv("HDR_RUN_MINUTES", "None")
    assert current().run_minutes is None


def test_a_change_of_the_file_is_seen():
    secrets("HDR_KEPT_RUNS = 7")
    assert current().kept_runs == 7
    secrets("HDR_KEPT_RUNS = 12")
    assert current().kept_runs == 12


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("profile", "public", "HDR_PROFILE is 'public'; it must be local or demo"),
        ("run_minutes", "ten", "HDR_RUN_MINUTES is 'ten'; it must be a number of minutes, 0.1 or more, or none"),
        ("run_minutes", "inf", "HDR_RUN_MINUTES is 'inf'; it must be a number of minutes"),
        ("memory_mb", "0", "HDR_MEMORY_MB is '0'; it must be a number of megabytes above 0"),
        ("training_digits", "1.5", "HDR_TRAINING_DIGITS is '1.5'; it must be a whole number of digits, 500 or more"),
        ("uploads", "perhaps", "HDR_UPLOADS is 'perhaps'; it must be on or off"),
        ("uploads", "none", "HDR_UPLOADS is 'none'; it must be on or off"),
        ("kept_runs", "x" * 5000, f"HDR_KEPT_RUNS is '{'x' * 40}'; it must be"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(monkeypatch, name, value, said):
    monkeypatch.setenv(variable(name), value)
    with pytest.raises(SettingsError) as error:
        current()
    assert str(error.value).startswith(said)


def test_a_secret_is_never_shown(monkeypatch):
    monkeypatch.setenv("HDR_ADMIN_WORD", "abc")
    with pytest.raises(
        SettingsError, match="HDR_ADMIN_WORD is not one that it can have; it must be a word of 8"
    ) as error:
        current()
    assert "abc" not in str(error.value)
    monkeypatch.setenv("HDR_ADMIN_WORD", "12345678")
    assert "12345678" not in repr(current()) and "12345678" not in current().model_dump_json()
    secrets('HDR_ADMIN_WORD = "correct horse\nHDR_UPLOADS = false')
    with pytest.raises(SettingsError, match=r"cannot be read as TOML \(at line 1\)") as error:
        current()
    assert "horse" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("store", "postgresql+psycopg://hdr:hunter2@db.example.org/hdr"),
        ("store", "postgresql+psycopg://hdr:p%40ss@/hdr?host=/run/postgresql"),
        ("store", "sqlite:////srv/hdr/runs.sqlite"),
        ("artifacts", "/srv/models"),
        ("artifacts", "file:///srv/models"),
        ("artifacts", "s3://bucket/folder"),
        ("dask", "tcp://scheduler.example.org:8786"),
        ("dask", "tls://[::1]:8786"),
    ],
)
def test_going_past_one_machine_is_one_setting_each(monkeypatch, name, value):
    assert getattr(current(), name) is None
    monkeypatch.setenv(variable(name), value)
    found = getattr(current(), name)
    assert (found if name == "dask" else found.get_secret_value()) == value
    assert "hunter2" not in repr(current()) and "hunter2" not in current().model_dump_json()


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("store", "hdr:hunter2@db/hdr", "postgresql+psycopg://user:password@host/database, or sqlite:///file"),
        ("store", "mysql://hdr:hunter2@db/hdr", "postgresql"),
        ("store", "postgresql://hdr:hunter2@db/hdr", "postgresql+psycopg"),
        ("store", "postgresql+psycopg://hdr:hunter2@db:port/hdr", "postgresql"),
        ("artifacts", "hunter2", "a folder from the root on"),
        ("artifacts", "cached::s3://key:hunter2@bucket", "s3://bucket/folder"),
        ("dask", "http://me:hunter2@scheduler:8786", "tcp://host:8786"),
        ("dask", "tcp://scheduler", "tcp://host:8786"),
    ],
)
def test_a_wrong_address_is_never_shown_with_its_password(monkeypatch, name, value, right):
    monkeypatch.setenv(variable(name), value)
    with pytest.raises(SettingsError) as error:
        current()
    assert str(error.value).startswith(variable(name)) and right in str(error.value)
    assert "hunter2" not in str(error.value)


def test_an_address_is_shown_without_what_is_secret():
    for address, shown in (
        ("postgresql+psycopg://hdr:hunter2@host/db", "postgresql+psycopg://hdr:***@host/db"),
        ("postgresql+psycopg://hdr:a@b:c/d@host/db", "postgresql+psycopg://hdr:***@host/db"),
        ("postgresql+psycopg://host/db?password=hunter2", "postgresql+psycopg://host/db?***"),
        ("s3://bucket/folder", "s3://bucket/folder"),
        ("/srv/models", "/srv/models"),
    ):
        assert redaction.redact_url(address) == shown


def test_the_admin_word():
    assert not from_values({}).is_admin_word("")
    known = from_values({"admin_word": 20_000_101})
    assert (
        known.is_admin_word("20000101") and not known.is_admin_word("20000102") and not known.is_admin_word("\udc80é")
    )


def test_folders(monkeypatch, tmp_path):
    monkeypatch.setenv("HDR_HOME", "things")
    monkeypatch.setenv("HDR_DATASETS", str(tmp_path / "data"))
    assert paths.home() == tmp_path / "things"
    assert paths.dataset_folders() == (tmp_path / "data", tmp_path / "things" / "datasets")


def test_the_file_beside_the_entry_script_comes_before_that_of_the_current_folder(monkeypatch, tmp_path):
    secrets("HDR_KEPT_DAYS = 3\nHDR_UPLOADS = false")
    beside = tmp_path / "elsewhere" / "hdr" / "app" / ".streamlit" / "secrets.toml"
    beside.parent.mkdir(parents=True)
    beside.write_text("HDR_KEPT_DAYS = 4", "utf-8")
    monkeypatch.setattr(entry, "ROOT", tmp_path / "elsewhere")
    assert current().kept_days == 4 and not current().uploads


def test_another_process_sees_the_same(monkeypatch):
    secrets('HDR_PROFILE = "demo"\nHDR_UPLOADS = false\nHDR_KEPT_DAYS = 3')
    program = "from hdr import settings; print(settings.current().model_dump_json())"
    environment = {**os.environ, "PYTHONPATH": str(entry.ROOT)}
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60)
    assert ended.stdout.strip() == current().model_dump_json()


def test_the_page_is_as_the_settings_are():
    assert settings_page.PAGE.read_text("utf-8") == settings_page.page(), "run python -m tools.settings_page"
    text = settings_page.example().split("```toml\n")[1].split("```")[0]
    said = tomllib.loads("\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines()))
    assert tuple(said) == tuple(variable(name) for name in NAMES)
    assert from_values({name: said[variable(name)] for name in NAMES}) == from_values({"profile": "demo"})
