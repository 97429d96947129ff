#!/usr/bin/env bash
# Train under Slurm:
#   GPUS=8 tools/slurm_train.sh PARTITION JOB_NAME CONFIG [options of tools/train.py]
# CONFIG: a config file, or SUITE.py:METHOD, a row of a suite. PARTITION may be ''.
# From the environment: GPUS (8; 0: the CPU), TASKS (processes on the CPU: 1), GPUS_PER_NODE (8),
# CPUS_PER_TASK (5), ACCOUNT, TIME_LIMIT (--time), MEMORY (--mem), MASTER_PORT, SRUN_ARGS (further
# options of srun). More in docs/cluster.md.
set -euo pipefail
if [ $# -lt 3 ]; then
    echo "usage: $0 PARTITION JOB_NAME CONFIG [options of tools/train.py]" >&2
    exit 2
fi
GPUS=${GPUS:-8}
. "$(dirname "$0")/dist_common.sh"
slurm "$1" "$2" train.py "${@:3}"
