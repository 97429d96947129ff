#!/usr/bin/env bash
# Test on several GPUs, or on the CPU where there is none:
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of tools/test.py]
# CONFIG: a config file, or SUITE.py:METHOD, a row of a suite.
# GPUS: processes on this machine; 1 (default) and 0 start a single one without a launcher, 0 on
# the CPU even where there is a GPU.
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and, if it must differ,
# MASTER_PORT (29500).
set -euo pipefail
if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG CHECKPOINT GPUS [options of tools/test.py]" >&2
    exit 2
fi
CONFIG=$1
CHECKPOINT=$2
GPUS=${3:-1}
. "$(dirname "$0")/dist_common.sh"
launch test.py "$CONFIG" "$CHECKPOINT" "${@:4}"
