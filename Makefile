# `make listen` and `make test` are all that a newcomer needs; each sees to its own set-up.
# PIP_ARGS is handed to pip: on Linux, PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu" gets the
# small CPU build of torch instead of the CUDA one (torch is for training and tests; listening does without).

.PHONY: listen test test-all test-avx2 test-tfhub lint format wheel check-wheel bench reproduce findings demo examples clean
BIN := .venv/bin
# A test process for each core, up to eight: each needs up to 1 GB.
PYTEST := $(BIN)/python -m pytest --numprocesses logical --maxprocesses 8 --dist worksteal

listen:
	scripts/setup.sh
	$(BIN)/streamer listen --device auto

test:
	scripts/setup.sh dev
	$(PYTEST) -m "not slow"

# What is long too: whole trainings, and the benchmarks' shortest runs.
test-all: test
	$(PYTEST) -m slow

# The tests that compute, as a processor sees them that has AVX2 and neither AVX-512 nor bf16. Left out is what moves
# sound and messages: devices, decoders, sinks, sockets and the engine's scheduling, where no instruction matters.
COMPUTES := $(addprefix tests/,dsp heads inference models separation yamnet custom_sounds train test_whole_chain.py \
	cli/test_listen.py)
test-avx2:
	scripts/setup.sh dev
	scripts/as_avx2.sh $(PYTEST) -m "not slow" $(COMPUTES)

# The real TensorFlow Hub against the folder that `streamer models pull` writes, in an environment of its own.
test-tfhub:
	scripts/setup_tfhub.sh
	.venv-tfhub/bin/python -m pytest tests/tfhub

lint:
	scripts/setup.sh dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format:
	scripts/setup.sh dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel:
	scripts/setup.sh dev
	rm -rf build dist
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

# The wheel alone, in an environment of its own, on the bundled recording.
check-wheel: wheel
	scripts/check_wheel.sh dist/streamer-*.whl

bench:
	scripts/setup.sh dev
	$(BIN)/python -m benchmarks.frontend
	$(BIN)/python -m benchmarks.capture
	$(BIN)/python -m benchmarks.listening
	$(BIN)/python -m benchmarks.lateness
	$(BIN)/python -m benchmarks.streams
	$(BIN)/python -m benchmarks.bounds
	$(BIN)/python -m benchmarks.separation
	$(BIN)/python -m benchmarks.analyze
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.resample
	$(BIN)/python -m benchmarks.training_data

# Every figure of docs/results.md anew, trainings included, from the data sets in STREAMER_DATA; it takes long.
# A few of them: make reproduce RESULTS="gate cost" (names of docs/results/*.json).
reproduce:
	scripts/setup.sh dev
	$(BIN)/python -m train results --reproduce $(RESULTS)

# Surprises about other people's libraries: whether each is still as findings/NAME.sh describes it.
findings:
	findings/run.sh

demo:
	scripts/setup.sh dev
	$(BIN)/python scripts/make_demo.py

examples:
	cd examples/javascript && npm ci

clean:
	rm -rf .venv .venv-tfhub build dist *.egg-info
