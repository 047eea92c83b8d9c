# make demo ARGS="--for 60s"     the whole chain on this machine
# make test ARGS="-k influx"     the tests, two at a time; what fails is tried once more, and told
# make lint                      ruff and mypy
# make setup                     what the others need, on a fresh Debian or Ubuntu

PYTHON_VENV := .venv/bin/python

.PHONY: demo test lint setup

demo: setup
	@$(PYTHON_VENV) -m citynerve demo $(ARGS)

test:
	@scripts/setup --browser
	$(PYTHON_VENV) -m pytest -n 2 --dist worksteal --reruns 1 $(ARGS)

lint: setup
	$(PYTHON_VENV) -m ruff check .
	$(PYTHON_VENV) -m ruff format --check .
	$(PYTHON_VENV) -m mypy

setup:
	@scripts/setup
