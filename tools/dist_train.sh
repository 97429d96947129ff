#!/usr/bin/env bash
# Train on several GPUs, or on the CPU where there is none:
#   tools/dist_train.sh CONFIG GPUS [options of tools/train.py]
# CONFIG: a config file, or SUITE.py:METHOD, a row of a suite.
# GPUS: processes on this machine; 1 (default) and 0 start a single one without a launcher, 0 on
# the CPU even where there is a GPU.
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and, if it must differ,
# MASTER_PORT (29500).
set -euo pipefail
if [ $# -lt 1 ]; then
    echo "usage: $0 CONFIG GPUS [options of tools/train.py]" >&2
    exit 2
fi
CONFIG=$1
GPUS=${2:-1}
. "$(dirname "$0")/dist_common.sh"
launch train.py "$CONFIG" "${@:3}"
