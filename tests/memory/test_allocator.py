"""Memory that was freed goes back to the system, where the C library can do that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FREED = """
import threading, time
from hdr.memory import allocator
allocator.EVERY = 0.2
allocator.configure_malloc()
allocator.configure_malloc()
assert sum(t.name == "hdr-memory" for t in threading.enumerate()) <= 1, "set up once"

def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

def fill():
    kept.append([bytes([n % 7 + 1]) * 50_000 for n in range(2_000)])

kept = []
before = held()
threads = [threading.Thread(target=fill) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
assert held() > before + 300
del kept[:], threads
time.sleep(1)
print(held() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C library of others keeps what it wants")
def test_what_threads_have_freed_goes_back() -> None:
    told = subprocess.run([sys.executable, "-c", FREED], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
    assert float(told.stdout) < 60, "megabytes that are still held"


CIRCLES = """
import gc, time, weakref
from hdr.memory import allocator

class Session:
    def __init__(self):
        self.itself = self

there = Session()
allocator.freeze_gc()
assert not any(thing is there for thing in gc.get_objects()), "not looked through again"
allocator.EVERY = 0.2
allocator.configure_malloc()
session = Session()
ended = weakref.ref(session)
del session
end = time.monotonic() + 60
while ended():
    assert time.monotonic() < end, "still there"
    time.sleep(0.05)
"""


def test_what_came_later_and_refers_to_itself_is_freed_and_what_was_there_is_left_alone() -> None:
    told = subprocess.run([sys.executable, "-c", CIRCLES], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
