#!/usr/bin/env bash
# Run everything that needs a GPU, in at most 8 minutes, on a machine without a network.
#
#   benchmarks/gpu.sh [--device cuda|cpu] [--out FOLDER] [--quick]
#
#   --device  cuda runs the backends torch-cuda and cupy; cpu rehearses the same on torch and numpy (default: cuda)
#   --out     the folder of the output (default: $OUT, or else ./gpu-report)
#   --quick   a few quantities and problems in kfgn-check, a few problems of Hypothesis with one objective, and small
#             networks on one thread, for a rehearsal in a minute
#   --limits  print the time limit of each part, and do nothing
#
# The machine has Python 3.12 with PyTorch, CuPy, JAX, NumPy, Hypothesis, pytest, rich and safetensors. PYTHON names the
# program if it is not python3. If array-api-compat cannot be imported, it is installed into a temporary folder from a
# wheel in .whl/ (or the folder WHEELS). A machine with a network downloads the wheel before:
#
#   python -m pip download --no-deps -d .whl array-api-compat
#
# The last part trains on MNIST, whose two files of training images and labels are carried in .data/mnist/ (or in mnist/
# of the folder KFGN_DATA). Without them it trains on the data set digits, which is a part of kfgn.
#
# Every part has a time limit. A part that fails or runs out of time does not stop the next one, and its output stays:
# each row of kfgn-check is written when it ends. summary.txt has a line for each part.
#
# Exit status: 0 every part passed; 1 a part failed; 2 wrong usage, or no array-api-compat; 3 a part ran out of time
# and none failed.
set -uo pipefail

# Seconds, of which a part has GRACE to end after the signal to end. They add up to 8 minutes, which a test checks.
PARTS=(prepare check-float32 check-float64 hypothesis-first hypothesis-second benchmarks training)
LIMITS=(20 120 100 70 70 65 35)
GRACE=5

usage() {
    echo "gpu.sh: $1" >&2
    echo "usage: benchmarks/gpu.sh [--device cuda|cpu] [--out FOLDER] [--quick] [--limits]" >&2
    exit 2
}

device=cuda out=${OUT:-gpu-report} only=() tests=() task=mnist updates=200
while [ $# -gt 0 ]; do
    case $1 in
        --device | --out) [ $# -ge 2 ] || usage "$1: expected a value" ;;&
        --device) device=$2 && shift ;;
        --out) out=$2 && shift ;;
        --quick) only=(--quantity loss gradient kfra --problem 'case-*') && tests=(-k categorical) && task=digits updates=30 && export HYPOTHESIS_PROFILE=quick ;;
        --limits)
            paste -d' ' <(printf '%s\n' "${PARTS[@]}") <(printf '%s\n' "${LIMITS[@]}")
            exit 0
            ;;
        *) usage "unknown option $1" ;;
    esac
    shift
done
case $device in
    cuda) backends=(torch-cuda cupy) ;;
    cpu) backends=(torch numpy) ;;
    *) usage "--device: expected cuda or cpu, got $device" ;;
esac

mkdir -p "$out" && out=$(cd "$out" && pwd) || usage "--out: cannot make the folder $out"
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
python=${PYTHON:-python3}
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
export PYTHONPATH=$PWD:$PWD/reference:$PWD/conformance:$site PYTHONUNBUFFERED=1
cores=$(nproc)
jobs=$((cores < 12 ? cores : 12))
export OMP_NUM_THREADS=$((cores / jobs))

failed=0 late=0

say() {
    echo "$*" | tee -a "$out/summary.txt"
}

# within NAME COMMAND...: run the command within the limit of its part. The exit status is its own, or 124 for a timeout.
within() {
    local i status
    for i in "${!PARTS[@]}"; do
        if [ "${PARTS[i]}" = "$1" ]; then
            timeout --kill-after=$GRACE $((LIMITS[i] - GRACE)) "${@:2}"
            status=$?
            return $((status == 137 ? 124 : status))
        fi
    done
    echo "gpu.sh: there is no part $1" >&2
    return 1
}

# verdict NAME STATUS WORDS: write the line of the summary, by the exit status of the part.
verdict() {
    case $2 in
        0) say "$1: passed in $SECONDS s. $3" ;;
        124) late=1 && say "$1: out of time after $SECONDS s. $3" ;;
        *) failed=1 && say "$1: FAILED with exit status $2 after $SECONDS s. $3" ;;
    esac
}

# rows FILE: summarise a report, even an interrupted one; status 1 if a row is bad or a backend is not usable.
rows() {
    "$python" - "$1" <<'END'
import json
import sys
from collections import Counter
from pathlib import Path

from kfgn_conformance.verdicts import BAD

# the kit's reader of reports needs msgspec, which is not here; a last line without its end was cut off
lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines(keepends=True)
run, *cells = (json.loads(line) for line in lines if line.endswith("\n"))
missing = [f"{column['name']} is not usable: {column['reason']}" for column in run["columns"] if not column["usable"]]
counts = Counter(cell["status"] for cell in cells)
rows = len({cell["quantity"] for cell in cells})
print(f"{rows} rows: {', '.join(f'{n} {status}' for status, n in counts.items()) or 'none'}.", *missing)
sys.exit(bool(missing) or any(status in BAD for status in counts))
END
}

check() {
    local name=check-$1 status words
    SECONDS=0
    within "$name" "$python" -m kfgn_conformance --backend "${backends[@]}" --dtype "$1" --examples 0 --jobs "$jobs" \
        ${only[@]+"${only[@]}"} --jsonl "$out/$name.jsonl" 2>&1 | tee "$out/$name.log"
    status=${PIPESTATUS[0]}
    # a bad row fails the part, even if the part has run out of time
    if ! words=$(rows "$out/$name.jsonl") && { [ "$status" = 0 ] || [ "$status" = 124 ]; }; then
        status=1
    fi
    verdict "$name" "$status" "$words"
}

hypothesis() {
    local name=hypothesis-$2 status
    SECONDS=0
    within "hypothesis-$1" "$python" -m pytest tests/conformance/test_port.py --backend="$2" --verbose \
        -p no:cacheprovider ${tests[@]+"${tests[@]}"} 2>&1 | tee "$out/$name.log"
    status=${PIPESTATUS[0]}
    verdict "$name" "$status" "$(grep -E '^=+ .*(passed|failed|error|skipped).* =+$' "$out/$name.log" | tail -n 1)"
}

benchmarks() {
    SECONDS=0
    if [ ! -e benchmarks/__main__.py ]; then
        say "benchmarks: there is no table of benchmarks here"
        return
    fi
    within benchmarks "$python" -W ignore -m benchmarks --case autoencoder small primitives --backend "${backends[@]}" --rounds 3 \
        --launches ${only[0]:+--quick --threads 1} --json "$out/benchmarks.json" 2>&1 | tee "$out/benchmarks.log"
    verdict benchmarks "${PIPESTATUS[0]}" ""
}

training() {
    SECONDS=0
    if [ ! -e benchmarks/training.py ]; then
        say "training: there is no program for training here"
        return
    fi
    export KFGN_DATA=${KFGN_DATA:-$PWD/.data}
    compgen -G "$KFGN_DATA/mnist/train-images-idx3-ubyte*" >/dev/null || task=digits
    within training "$python" -W ignore -m benchmarks.training --task $task --backend "${backends[0]}" \
        --updates $updates 2>&1 | tee "$out/training.log"
    verdict training "${PIPESTATUS[0]}" "$task: $(tail -n 1 "$out/training.log")"
}

versions() {
    "$python" - <<'END'
import platform
from importlib.metadata import distributions

names = ("torch", "cupy", "jax", "numpy", "hypothesis", "pytest", "array-api-compat")
found = {d.name.lower(): d.version for d in distributions() if d.name and d.name.lower().startswith(names)}
print("Python", platform.python_version(), *(f"{name} {version}" for name, version in sorted(found.items())), sep=", ")
END
}

: >"$out/summary.txt"
say "$(date -u '+%Y-%m-%d %H:%M UTC'), --device $device${only[0]:+ --quick}, commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
if [ "$device" = cuda ]; then
    say "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>&1 | head -n 1)"
fi

SECONDS=0
if ! "$python" -c 'import array_api_compat' 2>/dev/null; then
    wheels=("${WHEELS:-.whl}"/array_api_compat-*.whl)
    within prepare "$python" -m pip install --quiet --no-index --no-deps --target "$site" "${wheels[@]: -1}" || {
        say "prepare: FAILED: array-api-compat is not installed, and no wheel of it could be, from ${WHEELS:-.whl}/"
        exit 2
    }
fi
say "$(versions)"

check float32
check float64
hypothesis first "${backends[0]}"
hypothesis second "${backends[1]}"
benchmarks
training

if [ $failed = 1 ]; then
    say "a part failed"
    exit 1
elif [ $late = 1 ]; then
    say "no part failed, and one ran out of time"
    exit 3
fi
say "every part passed"
