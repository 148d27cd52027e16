# `make run` is all it takes; `make help` lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test journeys lint fmt types screenshots train-base bench lock install install-dev

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 22

run: install ## start the site: installs what is missing, prints the address and a demo login
	@exec .venv/bin/python -m atelier.cli up

test: install-dev ## everything CI runs: all checks, all tests
	@.ci/browser
	@exec .ci/checks

journeys: install-dev ## the whole story in a real browser
	@.ci/browser
	@exec .venv/bin/python -m pytest -q tests/journeys

lint: install-dev ## style, layers, types and templates
	@exec .ci/checks lint

fmt: install-dev ## put code into its shape
	@.venv/bin/python -m ruff check --fix --quiet . ; .venv/bin/python -m ruff format --quiet .

types: install-dev ## types alone
	@exec .venv/bin/python -m mypy src

screenshots: install-dev ## every page, wide and phone, light and dark, into screenshots/
	@.ci/browser
	@exec .venv/bin/python -m tests.journeys.screenshots

train-base: install-dev ## train the base model again, from the pictures of a package
	@exec .venv/bin/python -m atelier_engine.base_model all --work .atelier/train-base

bench: install-dev ## measured claims, as ratios
	@exec .venv/bin/python -m bench

lock: install-dev ## write requirements/lock.txt from what is installed
	@exec .ci/lock

install:
	@.ci/install engine

install-dev:
	@.ci/install engine,dev
