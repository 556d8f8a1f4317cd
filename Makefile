# make run    start the app on http://localhost:8501, or on the port PORT=
# make lock   write requirements/lock.txt after a change of requirements.txt; delete it first to upgrade the others
# make test   run lint, the fast tests, and the smoke tests in a browser: some minutes
# make test-all   run lint and every test, with coverage: also slow, browser, fault, hostile and cluster tests
# make lint   run the checks only
# make test-cluster  test PostgreSQL, S3 and Dask, each started on 127.0.0.1
# make bench  print the figures in the README
# make chaos  inject faults and print a table of the losses: a quarter of an hour
# make hostile send 10,000 hostile files and addresses, and check the isolation of thirty visitors
# make audit  look up every installed package in the database of known vulnerabilities, on the internet
# make docs   take the screenshots in docs/ again
# make reader train the ready-made reader: an hour or two on two cores
# make page-reader fine-tune the reader for digits of photos: about a quarter of an hour
# make detector train the network that finds digits and marks on pages: an hour or two
# make parter train the network that splits numbers into digits: about an hour

PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
STORE_TESTS := $(addprefix tests/,$(addsuffix .py,$(addprefix store/test_,runs searches worker_leases run_commands \
	heartbeats) $(addprefix jobs/test_,search_runner search_processes scheduler quotas fair_queue retention)))

PYTEST := $(BIN)/python -m pytest
COVERED := $(PYTEST) --cov --cov-append --cov-report= --cov-fail-under=0
# Shared by `test` and `test-all`: all tests that need neither a browser nor a cluster, in up to 4 processes.
LIBRARY := --ignore=tests/browser --ignore=tests/cluster --numprocesses=auto --maxprocesses=4 --dist=worksteal

.PHONY: run lock lint test test-all test-cluster bench chaos hostile audit docs reader page-reader parter detector clean

run: .venv/app.done
	$(BIN)/python -m streamlit run streamlit_app.py --server.port $(PORT)

lock: | .venv/bin/python
	test -x $(BIN)/uv || $(INSTALL) uv==0.13.9
	$(BIN)/uv pip compile requirements.txt --universal --python-version 3.11 --quiet --annotation-style line \
		--custom-compile-command "make lock" --output-file requirements/lock.txt

lint: .venv/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive hdr pages tools streamlit_app.py

test: lint
	$(PYTEST) $(LIBRARY) -m "not slow"
	$(PYTEST) tests/browser -m smoke

# Coverage includes the processes of servers and trainings. `fail_under` in pyproject.toml is the minimum.
test-all: export OMP_NUM_THREADS ?= 1
test-all: lint
	$(BIN)/python -m coverage erase
	$(COVERED) $(LIBRARY) --hypothesis-profile=full
	$(COVERED) tests/browser --numprocesses=auto --maxprocesses=2 --dist=loadfile --no-loadscope-reorder
	$(BIN)/python -m coverage run -m tests.chaos --share 0.1
	$(BIN)/python -m coverage combine --append --quiet
	$(BIN)/python -m coverage report
	$(BIN)/python -m tests.hostile.storm --cases 2000
	$(BIN)/python -m tests.hostile.isolation --visitors 8
	$(MAKE) test-cluster

# STORE_TESTS run again with PostgreSQL in place of SQLite.
test-cluster: .venv/cluster.done
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
		echo "There is no PostgreSQL here. On Debian and Ubuntu: apt-get install postgresql"; exit 1; }
	$(BIN)/python -m pytest tests/cluster
	$(BIN)/python -m pytest -p tests.cluster.everywhere -m "not sqlite" --numprocesses=auto --maxprocesses=4 \
		--dist=worksteal $(STORE_TESTS)

bench: .venv/dev.done
	$(BIN)/python benchmarks/preprocessing.py
	$(BIN)/python benchmarks/features.py
	$(BIN)/python benchmarks/store.py
	$(BIN)/python benchmarks/training.py --best
	$(BIN)/python benchmarks/steering.py
	$(BIN)/python benchmarks/browser.py
	$(BIN)/python -m benchmarks.load
	$(BIN)/python benchmarks/memory.py

chaos: .venv/dev.done
	$(BIN)/python -m tests.chaos

hostile: .venv/dev.done
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.hostile.storm
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.hostile.isolation

audit: .venv/dev.done
	test -x $(BIN)/pip-audit || $(INSTALL) pip-audit==2.10.1
	$(BIN)/pip-audit --local

docs: .venv/dev.done
	$(BIN)/python tools/take_pictures.py

reader: .venv/train.done
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.train_reader

page-reader: .venv/train.done
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.train_page_reader

parter: .venv/train.done
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.train_parter

detector: .venv/train.done
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.train_detector --keep .venv/detector.pt

clean:
	rm -rf .venv

.venv/bin/python:
	@$(PYTHON) tools/check_python.py
	$(PYTHON) -m venv .venv

# An older environment may have another Python than $(PYTHON).
.venv/app.done: requirements/lock.txt | .venv/bin/python
	@$(BIN)/python tools/check_python.py
	$(INSTALL) -r requirements/lock.txt
	touch $@

.venv/dev.done: requirements/lock.txt requirements/dev.txt | .venv/bin/python
	@$(BIN)/python tools/check_python.py
	$(INSTALL) -r requirements/dev.txt -c requirements/lock.txt
	touch $@ .venv/app.done

.venv/cluster.done: .venv/dev.done requirements/cluster.txt requirements/cluster-dev.txt
	$(INSTALL) -r requirements/cluster-dev.txt
	touch $@

.venv/train.done: .venv/app.done requirements/train.txt
	$(INSTALL) -r requirements/train.txt
	touch $@
