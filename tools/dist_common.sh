# Sourced by the scripts beside it, which set GPUS.
# `launch SCRIPT ARGUMENTS...`: $GPUS processes on this machine (or on each of NNODES machines)
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -z "${PYTHON:-}" ]; then
    if [ -x "$ROOT/.venv/bin/python" ]; then PYTHON=$ROOT/.venv/bin/python; else PYTHON=python; fi
fi
export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"

case $GPUS in
    ''|*[!0-9]*)
        echo "error: GPUS is '$GPUS'; accepted: the number of processes on this machine, 0 to n" >&2
        exit 2 ;;
esac
if [ "$GPUS" -eq 0 ]; then export CUDA_VISIBLE_DEVICES=; fi  # the CPU, also where there is a GPU

launch() {
    local script=$ROOT/tools/$1
    shift
    if [ "${NNODES:-1}" -gt 1 ]; then
        "$PYTHON" -m torch.distributed.run --nnodes "$NNODES" --node_rank "${NODE_RANK:-0}" \
            --master_addr "${MASTER_ADDR:-127.0.0.1}" --master_port "${PORT:-29500}" \
            --nproc_per_node "$((GPUS > 0 ? GPUS : 1))" "$script" "$@" --launcher pytorch
    elif [ "$GPUS" -le 1 ]; then
        "$PYTHON" "$script" "$@"
    elif [ -n "${PORT:-}" ]; then
        "$PYTHON" -m torch.distributed.run --master_addr 127.0.0.1 --master_port "$PORT" \
            --nproc_per_node "$GPUS" "$script" "$@" --launcher pytorch
    else  # --standalone takes a free port
        "$PYTHON" -m torch.distributed.run --standalone \
            --nproc_per_node "$GPUS" "$script" "$@" --launcher pytorch
    fi
}

# `slurm PARTITION JOB_NAME SCRIPT ARGUMENTS...`: $GPUS tasks (0: one, on the CPU), at most
# $GPUS_PER_NODE a machine
slurm() {
    local partition=$1 job=$2 script=$ROOT/tools/$3
    shift 3
    local tasks=$((GPUS > 0 ? GPUS : 1)) per_node=${GPUS_PER_NODE:-8} gres=
    if [ "$tasks" -lt "$per_node" ]; then per_node=$tasks; fi
    if [ "$GPUS" -gt 0 ]; then gres="--gres gpu:$per_node"; fi
    # shellcheck disable=SC2086 (gres and SRUN_ARGS are lists of words)
    srun -p "$partition" --job-name "$job" $gres --ntasks "$tasks" \
        --ntasks-per-node "$per_node" --cpus-per-task "${CPUS_PER_TASK:-5}" \
        --kill-on-bad-exit 1 ${SRUN_ARGS:-} \
        "$PYTHON" -u "$script" "$@" --launcher slurm
}
