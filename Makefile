# SPDX-License-Identifier: GPL-2.0
#
# The targets for people; `make help` lists them. What is in the module is in Kbuild.
# Everything is built under $(BUILD), the module once for each kernel release, so that
# builds for several kernels do not disturb each other and the source tree stays clean.

TOP := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
BUILD ?= $(TOP)/build
PREFIX ?= /usr/local
# Kernels for the module: series ("6.1"), releases or names in the cache; else KDIR.
KERNELS ?=
KDIR ?= /lib/modules/$(shell uname -r)/build
# The kernels of the guests, and those with sanitizers ("light") that make test builds meanwhile.
TEST_KERNELS ?= 6.1 6.12
TEST_SANITIZERS ?=
# How long make fuzz (10m), torture (30m) and coverage (4h) take: seconds, or with a suffix as sleep(1) has it.
T ?=
# The kernel of make torture, and its seed (drawn when empty).
KERNEL ?= 6.12
SEED ?=
# Tries of each row of make test-races.
RACE_TRIES ?= 100000
DEMO_KERNEL ?= 6.12
W ?= 1

MAKEFLAGS += --no-print-directory
export SELFHEAL_BUILD := $(BUILD)
VM := $(TOP)/selftests/vm
# Not include/config/kernel.release: Debian's header packages have another name there.
RELEASE = $$(sed -n 's/.*UTS_RELEASE "\(.*\)".*/\1/p' $(KDIR)/include/generated/utsrelease.h)
# Without the vmlinux of the kernel there can be no BTF of the module.
NO_BTF = $(if $(wildcard $(KDIR)/vmlinux),,CONFIG_DEBUG_INFO_BTF_MODULES=)

all: modules user			## module and user tools (default)

modules: $(if $(KERNELS),$(addprefix module-,$(KERNELS)),module)	## the module: KDIR=, or KERNELS="6.1 6.12"

module-%:
	@set -e; found=$$($(VM)/kernel $*); set -- $$found; $(MAKE) module KDIR=$$2

# The sources appear in the build directory of the release as symbolic links. One build of
# a release at a time: helpers of a test run may build at the same moment.
module:
	@[ -e "$(KDIR)/Makefile" ] || { echo "no kernel build directory $(KDIR): install" \
		"linux-headers-$$(uname -r), or give KDIR= or KERNELS=\"6.1 6.12\"" >&2; exit 1; }
	@set -e; \
	release=$(RELEASE); dir=$(BUILD)/$$release; \
	echo "  MODULE  selfheal.ko for $$release"; \
	mkdir -p $$dir; exec 9> $$dir/.lock; flock 9; \
	find $$dir -xtype l -delete; \
	cp -rsf $(TOP)/Kbuild $(TOP)/kmod $(TOP)/include $$dir; \
	$(MAKE) -s -C $(KDIR) M=$$dir W=$(W) $(NO_BTF) modules

# Modules that tests load, beside the module of the same release.
test-modules: $(if $(KERNELS),$(addprefix test-module-,$(KERNELS)),test-module)

test-module-%:
	@set -e; found=$$($(VM)/kernel $*); set -- $$found; $(MAKE) test-module KDIR=$$2

test-module:
	@set -e; \
	release=$(RELEASE); dir=$(BUILD)/$$release/test_modules; \
	echo "  MODULE  test modules for $$release"; \
	mkdir -p $$dir; exec 9> $$dir/.lock; flock 9; \
	cp -rsf $(TOP)/selftests/guest/test_modules/. $$dir; \
	$(MAKE) -s -C $(KDIR) M=$$dir W=$(W) $(NO_BTF) modules

user:					## healctl
	@echo "  USER    healctl"
	@$(MAKE) -s -C $(TOP)/user O=$(BUILD)/user

selftests: 				## test programs
	@echo "  TESTS   selftests"
	@mkdir -p $(BUILD)/selftests; exec 9> $(BUILD)/selftests/.lock; flock 9; \
	$(MAKE) -s -C $(TOP)/selftests O=$(BUILD)/selftests

uapi:					## write the UAPI header from the netlink specification
	@$(TOP)/selftests/uapi/generate

check-uapi:				## fail when the UAPI header is not what the specification gives
	@$(TOP)/selftests/uapi/generate --check

deps:					## install the packages that are needed (as root, by apt)
	@$(VM)/deps --guests

# What the guest runs, for all kernels of the guests.
guest-build: deps
	@$(MAKE) modules test-modules KERNELS="$(sort $(TEST_KERNELS) $(DEMO_KERNEL))"
	@$(MAKE) user selftests

unit:					## unit tests in user space
	@$(VM)/suite --unit

test: guest-build			## everything on both kernels; ends with "N passed, N failed"
	@$(VM)/suite --unit --check --harness $(lastword $(TEST_KERNELS)) \
		$(addprefix --kernel ,$(TEST_KERNELS)) \
		$(addprefix --sanitizer ,$(TEST_SANITIZERS)) $(SUITE_ARGS)

demo: guest-build			## an attack on a protected server, in a guest
	@$(VM)/run --kernel $(DEMO_KERNEL) --timeout 600 -- /opt/selfheal/selftests/victims/demo

bench: guest-build			## measurements, in guests: one report in build/bench (BENCH_ARGS=)
	@$(TOP)/selftests/bench/report $(addprefix --kernel ,$(TEST_KERNELS)) $(BENCH_ARGS)

test-debug test-long: deps		## test-debug: kernels with sanitizers; test-long: soak and fuzz
	@$(TOP)/selftests/debug/$@

RACES = cd /opt/selfheal/selftests/escape && for t in test_race_*; do \
	echo "\# $$t"; RACE_TRIES=$(RACE_TRIES) ./$$t || bad=1; done; exit $${bad:-0}

test-races: guest-build			## the races of the escape tests, each row RACE_TRIES times (100000)
	@set -e; for kernel in $(TEST_KERNELS); do echo "races, $$kernel"; \
		$(VM)/run --kernel $$kernel --timeout 14400 -- '$(RACES)'; done

conformance: guest-build			## the kernel's own selftests without us, with us, and in a domain
	@$(TOP)/selftests/conformance/run $(TEST_KERNELS)

fuzz: deps				## fuzz the parsers and the quarantine in user space (T=10m)
	@$(TOP)/selftests/fuzz/run --time $(or $(T),10m)

coverage: deps				## gcov of the module on kernels with sanitizers (T=4h, COVERAGE_ARGS=)
	@$(TOP)/selftests/coverage/run --time $(or $(T),4h) $(COVERAGE_ARGS)

torture: guest-build			## everything at once in a guest, its history checked (T=30m KERNEL=6.12 SEED=)
	@set -e; case $(KERNEL) in debug-*) $(TOP)/selftests/debug/build-kernel $(KERNEL:debug-%=%) > /dev/null ;; esac
	@$(MAKE) modules KERNELS=$(KERNEL)
	@$(TOP)/selftests/torture/run --kernel $(KERNEL) --time $(or $(T),30m) \
		$(if $(SEED),--seed $(SEED)) $(TORTURE_ARGS)

check:					## static checks
	@$(TOP)/selftests/check/run

install: all				## module, healctl and man pages (PREFIX=, DESTDIR=)
	@set -e; release=$(RELEASE); \
	echo "  INSTALL selfheal.ko for $$release"; \
	$(MAKE) -s -C $(KDIR) M=$(BUILD)/$$release INSTALL_MOD_PATH=$(DESTDIR) \
		INSTALL_MOD_DIR=updates modules_install
	@$(MAKE) -s -C $(TOP)/user O=$(BUILD)/user DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) install

uninstall:				## remove what install put there
	@set -e; release=$(RELEASE); \
	find $(DESTDIR)/lib/modules/$$release/updates -name 'selfheal.ko*' -delete 2> /dev/null || :; \
	$(if $(DESTDIR),:,depmod $$release)
	@rm -f $(DESTDIR)$(PREFIX)/sbin/healctl $(DESTDIR)$(PREFIX)/share/man/man8/healctl.8 \
		$(DESTDIR)$(PREFIX)/share/man/man5/selfheal-policy.5

clean:					## remove $(BUILD); the cache outside the tree stays
	@rm -rf $(BUILD)

help:					## this list
	@echo "make [TARGET] [KDIR=DIR | KERNELS=\"6.1 6.12\"]"
	@sed -n 's/^\([a-z][a-z -]*\):[^#]*## \(.*\)/  \1\t\2/p' $(TOP)/Makefile | expand -t 26

.PHONY: all modules module test-modules test-module user selftests uapi check-uapi deps guest-build unit test test-races demo bench \
	conformance test-debug test-long fuzz torture coverage check install uninstall clean help
