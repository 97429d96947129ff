# Sourced by the scripts beside it, which set GPUS. tools/benchmark.py starts its jobs by them, too:
# the command lines of torchrun and srun are here and nowhere else.
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

# `launch SCRIPT ARGUMENTS...`: $GPUS processes on this machine (or on each of NNODES machines)
launch() {
    local script=$ROOT/tools/$1
    shift
    local port=${MASTER_PORT:-${PORT:-}} where
    if [ "${NNODES:-1}" -gt 1 ]; then
        where=(--nnodes "$NNODES" --node_rank "${NODE_RANK:-0}"
               --master_addr "${MASTER_ADDR:-127.0.0.1}" --master_port "${port:-29500}")
    elif [ "$GPUS" -le 1 ]; then
        exec "$PYTHON" "$script" "$@"
    elif [ -n "$port" ]; then
        where=(--master_addr 127.0.0.1 --master_port "$port")
    else
        where=(--standalone)  # takes a free port
    fi
    exec "$PYTHON" -m torch.distributed.run "${where[@]}" \
        --nproc_per_node "$((GPUS > 0 ? GPUS : 1))" "$script" "$@" --launcher pytorch
}

# `slurm PARTITION JOB_NAME SCRIPT ARGUMENTS...`: $GPUS tasks (0: $TASKS or one, on the CPU), at most
# $GPUS_PER_NODE a machine. An empty PARTITION leaves the choice to Slurm. The processes meet at a
# port of their own (devias_mm/engine/slurm.py), or at MASTER_PORT.
slurm() {
    local partition=$1 job=$2 script=$ROOT/tools/$3
    shift 3
    local tasks=$((GPUS > 0 ? GPUS : ${TASKS:-1})) per_node=${GPUS_PER_NODE:-8}
    if [ "$tasks" -lt "$per_node" ]; then per_node=$tasks; fi
    local options=(--job-name "$job")
    if [ -n "$partition" ]; then options+=(-p "$partition"); fi
    if [ -n "${ACCOUNT:-}" ]; then options+=(-A "$ACCOUNT"); fi
    if [ -n "${TIME_LIMIT:-}" ]; then options+=(--time "$TIME_LIMIT"); fi
    if [ -n "${MEMORY:-}" ]; then options+=(--mem "$MEMORY"); fi
    if [ "$GPUS" -gt 0 ]; then options+=(--gres "gpu:$per_node"); fi
    # shellcheck disable=SC2086 (SRUN_ARGS is a list of words)
    exec srun "${options[@]}" --ntasks "$tasks" \
        --ntasks-per-node "$per_node" --cpus-per-task "${CPUS_PER_TASK:-5}" \
        --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
        "$PYTHON" -u "$script" "$@" --launcher slurm
}
