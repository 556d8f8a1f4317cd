"""What an installation must do, on any system: `pip install .`, then `python tests/install/smoke.py`.

It imports nothing of the checkout: all is done by the command `hdr` and by the Python that hdr is installed for.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from PIL import Image, ImageDraw

PATIENCE = 120.0
"""Seconds for a command, and for the server to start, on a slow machine whose files have never been read."""

PAGES = """
from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest

from hdr import entry
from hdr.ui.shell import startup

icons = set()
set_page_config = st.set_page_config


def noting_the_icon(title, icon, *words, **more):
    icons.add(icon)
    return set_page_config(title, icon, *words, **more)


# Where an icon is missing, Streamlit shows its path instead and says nothing.
st.set_page_config = noting_the_icon
startup._prepare = lambda *_: None  # no download and no training
app = AppTest.from_file(str(entry.folder() / entry.SCRIPT), default_timeout=120).run()
for page in sorted((entry.folder() / "pages").glob("*.py")):
    app.switch_page(f"pages/{page.name}").run()
    assert not app.exception and not app.error, (page, app.exception, app.error)
    assert app.header or page.stem == "home", f"{page} is empty"
(icon,) = icons
assert Path(icon).is_file(), f"{icon} is missing"
print(entry.folder())
"""


def check(python: Path) -> Path:
    """Use the installation as a person would, in a folder with files that are in the way.

    Args:
        python: the Python that hdr is installed for.

    Returns:
        The folder of the entry script that was served.

    Raises:
        AssertionError: something did not work; the message has the output.
    """
    # Where Windows has no virtual environment, commands are in a folder beside Python.
    hdr = shutil.which("hdr", path=os.pathsep.join((str(python.parent), str(python.parent / "Scripts"))))
    assert hdr, f"there is no command hdr beside {python}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "HDR_PROFILE")}
        env |= {"HDR_HOME": str(folder / "home"), "PYTHONIOENCODING": "utf-8"}
        for trap in ("hdr.py", "random.py", "streamlit_app.py"):
            (folder / trap).write_text("raise SystemExit('a file of the current folder was run')")
        version = _output(env, folder, hdr, "--version").strip()
        assert re.fullmatch(r"hdr \d+\.\d+\.\d+", version), version
        _draw_seven(folder / "seven.png")
        answer = json.loads(_output(env, folder, hdr, "read", "seven.png", "--json"))
        assert answer["number"] == "7", answer
        shown = Path(_output(env, folder, str(python), "-P", "-c", PAGES).splitlines()[-1])
        _serve(env, folder, hdr)
    return shown


def _output(env: dict[str, str], folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", cwd=folder, env=env, timeout=PATIENCE
    )
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


def _draw_seven(path: Path) -> None:
    picture = Image.new("L", (120, 120), 255)
    ImageDraw.Draw(picture).line([(35, 30), (85, 30), (55, 95)], fill=0, width=9, joint="curve")
    picture.save(path)


def _serve(env: dict[str, str], folder: Path, hdr: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "server.log"
    with open(log, "wb") as output:
        server = subprocess.Popen(
            [hdr, "serve", "--server.port", str(port), "--server.headless", "true"],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=env,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while (health := _page(port, "_stcore/health")) != "ok":
            assert server.poll() is None and time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.2)
        assert health and "<title>Streamlit</title>" in _page(port, "")
        said = log.read_text("utf-8")
        # Without config.toml, Streamlit names this machine's other addresses and collects statistics.
        assert f"URL: http://localhost:{port}" in said and "Network URL" not in said and "statistics" not in said, said
    finally:
        if sys.platform == "win32":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(server.pid)], check=False)
        server.terminate()
        server.wait(PATIENCE)


def _page(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
            return answer.read().decode("utf-8")
    except OSError:
        return ""


if __name__ == "__main__":
    sys.stdout.write(f"The installation works; the app's files are in {check(Path(sys.executable))}\n")
