#!/usr/bin/env bash
# run.sh: proves native libraries and rights in the linux guest.
# run.sh NAME…: only what is named, as in programs/, or preload.
# run.sh conformance: the conformance suite over the linux guest.
#
# KVM_HOST names a command that runs another one on a machine with a hypervisor; without it this machine's own is used.
# That machine may have no network: packages are put into the cache first.
set -euo pipefail

cd "$(dirname "$0")/../.."
deno=${DENO:-deno}
command -v "${deno%% *}" > /dev/null || deno="npx -y deno@2.9.5"
tests=tests/hyperlight/
if [ "${1:-}" = conformance ]; then
  tests=tests/conformance/
  export MOTE_CONFORMANCE=hyperlight-linux
elif [ $# -gt 0 ]; then
  tests=tests/hyperlight/linux_test.ts
  MOTE_LINUX_PROGRAMS=$(IFS=,; echo "$*")
  export MOTE_LINUX_PROGRAMS
fi
$deno run -A tests/hyperlight/packages.ts prepare
# Without a network, pip is not to wait for one.
export PIP_RETRIES=0 PIP_DEFAULT_TIMEOUT=5
export KVM_HOST_ENV="${KVM_HOST_ENV:-} MOTE_LINUX_PROGRAMS MOTE_CONFORMANCE MOTE_LIBRARY MOTE_CACHE_DIR MOTE_TEST_ADDRESS PIP_RETRIES PIP_DEFAULT_TIMEOUT"
# shellcheck disable=SC2086 # a command and its arguments
${KVM_HOST:-} $deno test --no-check -A $tests
