# Everything that builds, tests and shows the project. Each target installs what it needs (Debian 12, root) and says
# what it does. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# What the programs link against, and what dnsmasq, loaders and tests need.
BUILD_PACKAGES := libarchive-dev libssl-dev libsqlite3-dev pkg-config
LAB_PACKAGES := dnsmasq-base gpgv ipxe iproute2 util-linux qemu-system-x86 ipxe-qemu ovmf \
	debian-installer-12-netboot-amd64 busybox-static cpio curl
TEST_PACKAGES := $(LAB_PACKAGES) skopeo tftp-hpa bind9-dnsutils netcat-openbsd socat bsdutils iputils-ping procps openssl wget \
	buildah python3-venv apt-utils dnf createrepo-c rpm minisign gnupg gpgv openssh-client xorriso \
	genisoimage zip zstd bzip2 lz4 xz-utils nftables binutils sbsigntool systemd-boot-efi grub-common grub-pc-bin \
	grub-efi-amd64-bin softhsm2 opensc libengine-pkcs11-openssl dpkg-dev libfaketime
BENCH_PACKAGES := docker-registry skopeo curl python3 openssl time nginx-light lighttpd caddy golang-go dnsmasq-base wrk gnuplot-nox
PACKAGE_PACKAGES := dpkg-dev chrpath jq
IMAGE_PACKAGES := mmdebstrap squashfs-tools cryptsetup-bin mtools gdisk dosfstools e2fsprogs zstd jq
APPLIANCE_PACKAGES := $(LAB_PACKAGES) mmdebstrap mtools gdisk socat openssl openssh-client mandoc qemu-utils

# Of the packages and the image: ControlAPI knows it, and the programs print it.
VERSION = $(shell sed -n 's/.*current = "\(.*\)"/\1/p' Sources/ControlAPI/ProductVersion.swift)
# Further packages for the image, from Debian's non-free-firmware too: make image FIRMWARE="firmware-bnx2 ..."
FIRMWARE ?=

SWIFT ?= swift
# Only what is ours is checked; the build folder holds dependencies.
FORMATTED := Package.swift Sources Tests ipxe artifacts

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

define install
	@missing=(); for package in $(1); do \
		dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$$package"); done; \
	if (($${#missing[@]})); then \
		if ((EUID)); then echo "these packages are missing, and only root can install them: apt-get install $${missing[*]}" >&2; exit 1; fi; \
		echo "==> installing $${missing[*]}"; \
		apt-get update -qq; \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null; fi
endef

.PHONY: check-tools
check-tools:
	@command -v $(SWIFT) >/dev/null || { echo "no Swift toolchain: install Swift 6.2 or newer from https://www.swift.org/install/linux" >&2; exit 1; }
	@((EUID == 0)) || { echo "network namespaces need root: run this as root" >&2; exit 1; }

.PHONY: build
build: check-tools ## Build both programs for debugging
	$(call install,$(BUILD_PACKAGES))
	@echo "==> building (the first time takes some minutes)"
	@$(SWIFT) build

.PHONY: release
release: check-tools ## Build both programs for use
	$(call install,$(BUILD_PACKAGES))
	@$(SWIFT) build -c release --static-swift-stdlib --product provisioner
	@$(SWIFT) build -c release --static-swift-stdlib --product artifactctl

.PHONY: deb
deb: release ## Build the Debian packages into build/
	$(call install,$(PACKAGE_PACKAGES))
	@echo "==> packages"
	@image/package/build --programs "$$($(SWIFT) build -c release --show-bin-path)" --version $(VERSION) --output build

.PHONY: image
image: deb ## Build the appliance's disk image into build/
	$(call install,$(IMAGE_PACKAGES))
	@image/build --package build/provisioner_$(VERSION)_amd64.deb --output build --firmware "$(FIRMWARE)"

.PHONY: demo
demo: check-tools ## Boot a BIOS and a UEFI machine from a provisioner, in QEMU
	$(call install,$(BUILD_PACKAGES) $(LAB_PACKAGES))
	@echo "==> building (the first time takes some minutes)"
	@$(SWIFT) build --product provisioner
	@$(SWIFT) build --product artifactctl
	@$(SWIFT) build --product demo
	@"$$($(SWIFT) build --show-bin-path)/demo"

.PHONY: test
test: check-tools ## Check formatting, then run every test: units, real tools, real firmware
	$(call install,$(BUILD_PACKAGES) $(TEST_PACKAGES))
	@$(MAKE) --no-print-directory lint .build/python/bin/packages-are-there
	@echo "==> building programs and tests (the first time takes some minutes)"
	@$(SWIFT) build --build-tests
	@echo "==> unit tests"
	@$(SWIFT) test --skip-build --skip IntegrationTests --skip BootTests --skip PackageTests
	@echo "==> fuzzing, a short run"
	$(call fuzz,-runs=100000 -seed=1)
	@echo "==> tests with real tools, in network namespaces"
	@$(SWIFT) test --skip-build --filter IntegrationTests
	@echo "==> boot tests with real firmware, in QEMU"
	@$(SWIFT) test --skip-build --filter '^BootTests'

# What strangers send, made up by libFuzzer: $(1) says for how long. What it finds goes to build/fuzz.
FUZZ_TARGETS := manifest reference range content-range batch checksums signature iso tar archive-stream view \
	tftp-packet tftp-transfer request-target syslog syslog-stream http-connection dhcp-offer
FUZZ_SECONDS ?= 600
define fuzz
	@mkdir -p build/fuzz
	@PROVISIONER_FUZZ=1 $(SWIFT) build --sanitize=fuzzer --scratch-path .build/fuzz --product fuzz >build/fuzz/build.log 2>&1 \
		|| { tail -40 build/fuzz/build.log; exit 1; }
	@for target in $(FUZZ_TARGETS); do \
		mkdir -p build/fuzz/$$target; \
		FUZZ_TARGET=$$target .build/fuzz/debug/fuzz $(1) -artifact_prefix=build/fuzz/$$target- -print_final_stats=1 \
			build/fuzz/$$target Tests/Fuzz/Corpus/$$target >build/fuzz/$$target.log 2>&1 \
			|| { tail -40 build/fuzz/$$target.log; exit 1; }; \
		echo "fuzz $$target: $$(sed -n 's/^stat::number_of_executed_units: *//p' build/fuzz/$$target.log) inputs, none broke a promise"; \
	done
endef

.PHONY: fuzz
fuzz: check-tools ## Feed the parsers with made-up input for FUZZ_SECONDS each
	$(call install,$(BUILD_PACKAGES))
	@echo "==> fuzzing, $(FUZZ_SECONDS) s for each of $(FUZZ_TARGETS)"
	$(call fuzz,-max_total_time=$(FUZZ_SECONDS))

# A folder on the disk that is meant, with 30 GB free; and what: make bench BENCH="tftp scripts rounds=5", BENCH="store gib=1 files=10000"
BENCH_PLACE ?= build/bench
BENCH ?=

.PHONY: bench
bench: release ## Measure the released programs beside their peers; the table goes to build/bench.md
	$(call install,$(BENCH_PACKAGES))
	@# Debian starts the peer at once, as a service: here it is started when it is measured.
	@if [[ -d /run/systemd/system ]]; then systemctl disable --quiet --now docker-registry nginx lighttpd caddy; fi
	@# These two exclude each other: they are only unpacked.
	@mkdir -p build/peers && cd build/peers && for package in tftpd-hpa atftpd; do \
		[[ -d $$package ]] || { apt-get -o APT::Sandbox::User=root download -qq $$package && dpkg -x $${package}_*.deb $$package; }; done
	@# The released kind: what makes the load takes as much of the machine as what is measured.
	@$(SWIFT) build -c release --product bench
	@echo "==> measuring; some minutes"
	@"$$($(SWIFT) build -c release --show-bin-path)/bench" "$$($(SWIFT) build -c release --show-bin-path)" build/peers $(BENCH_PLACE) build/bench.md $(BENCH)

.PHONY: test-appliance
test-appliance: image ## Install the packages in a clean Debian, start the image, cut its power, damage its disk
	$(call install,$(APPLIANCE_PACKAGES))
	@echo "==> building the tests"
	@$(SWIFT) build --build-tests
	@echo "==> the packages, in a clean Debian 12"
	@$(SWIFT) test --skip-build --filter '^PackageTests'
	@echo "==> the image, in QEMU; screens and serial logs go to build/appliance-tests"
	@$(SWIFT) test --skip-build --filter '^ApplianceBootTests'
	@echo "==> the image once more: one commit makes one image"
	@image/test-reproducible --package build/provisioner_$(VERSION)_amd64.deb --image build/provisioner-$(VERSION).raw

# Python packages that tests use, in an environment of their own.
.build/python/bin/packages-are-there: Makefile
	@echo "==> installing oras, virt-firmware and a validator of OpenAPI documents from PyPI"
	@rm -rf .build/python && mkdir -p .build && python3 -m venv .build/python
	@.build/python/bin/pip install --quiet --disable-pip-version-check 'oras==0.2.43' 'openapi-spec-validator==0.7.2' 'jsonschema>=4.20,<5' \
		'virt-firmware==26.10'
	@touch $@

.PHONY: lint
lint: ## Check formatting
	@echo "==> checking the format of $(FORMATTED)"
	@$(SWIFT) format lint --strict --recursive --parallel $(FORMATTED)

.PHONY: format
format: ## Mend formatting
	@$(SWIFT) format --in-place --recursive --parallel $(FORMATTED)

.PHONY: clean
clean: ## Remove what was built
	@rm -rf .build build
