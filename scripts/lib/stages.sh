# stages.sh — what scripts/test is made of: running stages two at a time,
# counting their tests, and printing what came out.
#
# A stage is a function stage_NAME that runs in a shell of its own, with its
# output in build-logs/NAME.log, and counts by calling these:

logs=$PWD/build-logs
processors=$(getconf _NPROCESSORS_ONLN)
export XDG_CACHE_HOME=$logs/cache # of compiled OpenCL programs
# PoCL compiles each kernel once, and not once more for every size of group and of grid: most of what tests run on it
# they run once.
export POCL_WORK_GROUP_SPECIALIZATION=0

passed() { # passed COUNT
    echo "$1 0 0" >>"$tally"
}

failed() { # failed REASON
    printf '0 1 0\nfailed: %s: %s\n' "$stage" "$1" >>"$tally"
}

skip() { # skip REASON — ends the stage
    printf '0 0 1\nskipped: %s: %s\n' "$stage" "$1" >>"$tally"
    exit 0
}

need() { # need PROGRAM
    command -v "$1" >/dev/null || skip "$1 is not installed"
}

# Sanitizers multiply the code: optimised more, or with places of variables, it takes twice as long to compile.
sanitized='-Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 -Ddebug=false -Dc_args=-g1'

# configure FOLDER OPTIONS… — ends the stage if it fails.
configure() {
    local folder=$1
    shift
    [ ! -e "$folder/build.ninja" ] || return 0
    rm -rf "$folder"
    meson setup "$folder" -Dtests=enabled "$@" || { failed "does not configure"; exit 1; }
}

# build_all FOLDER — everything, not only what tests use; ends the stage if it fails.
build_all() {
    ninja -C "$1" || { failed "does not build"; exit 1; }
}

# run_suites FOLDER OPTIONS… — builds the programs of these tests, runs and counts them.
run_suites() {
    local folder=$1
    shift
    rm -f "$folder/meson-logs/$stage"*.json
    meson test -C "$folder" --num-processes "$test_processes" --print-errorlogs --logbase "$stage" \
        --timeout-multiplier "${timeout_multiplier:-1}" "$@"
    python3 scripts/lib/tally.py "$folder/meson-logs/$stage"*.json >>"$tally" || failed "the tests did not run"
}

# ---- from here on: called by scripts/test only -----------------------------

# sum FIELD STAGES… — of the counts of some stages.
sum() {
    local field=$1
    shift
    (cd "$logs" && cat -- "${@/%/.tally}" 2>/dev/null) | awk -v field="$field" '/^[0-9]+ [0-9]+ [0-9]+$/ { n += $field } END { print n + 0 }'
}

report_stage() { # report_stage NAME SECONDS
    local failures
    failures=$(sum 2 "$1")
    printf '== %-10s %5d passed, %d failed, %d skipped   %d s\n' "$1" "$(sum 1 "$1")" "$failures" "$(sum 3 "$1")" "$2"
    [ "$failures" = 0 ] && return
    grep -Ev '^\[[0-9]+/[0-9]+\] |^(Compiler|Library|Program|Run-time|Found) ' "$logs/$1.log" | tail -n 60
    echo "-- all of it: build-logs/$1.log"
}

run_stage() { # run_stage NAME
    local begin=$SECONDS
    (
        stage=$1
        tally=$logs/$1.tally
        "stage_$1"
        [ -s "$tally" ] || failed "counted nothing"
    ) >"$logs/$1.log" 2>&1 </dev/null
    # A stage that died without a word has failed.
    [ -s "$logs/$1.tally" ] || printf '0 1 0\nfailed: %s: ended early\n' "$1" >"$logs/$1.tally"
    report_stage "$1" $((SECONDS - begin))
}

run_stages() {
    for stage in $stages; do
        declare -F "stage_$stage" >/dev/null || { echo "scripts/test: there is no stage \"$stage\" ($(scripts/test --list))" >&2; exit 2; }
    done
    mkdir -p "$logs"
    rm -f "$logs"/*.tally "$logs"/*.log
    local begin=$SECONDS
    echo "== setup (build-logs/setup.log)"
    if ! scripts/setup --for test >"$logs/setup.log" 2>&1; then
        tail -n 40 "$logs/setup.log"
        echo "0 passed, 1 failed"
        exit 1
    fi
    echo "== setup done   $((SECONDS - begin)) s"

    local at_once=2
    [ "$processors" -gt 1 ] || at_once=1
    test_processes=$(((processors + at_once - 1) / at_once))
    for stage in $stages; do
        while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do
            wait -n
        done
        run_stage "$stage" &
    done
    wait
    report "$begin"
}

report() {
    # shellcheck disable=SC2086
    set -- "$1" "$(sum 1 $stages)" "$(sum 2 $stages)" "$(sum 3 $stages)"
    (cd "$logs" && grep -h '^\(skipped\|failed\): ' -- *.tally) | sort | uniq -c | sed 's/^ *1 //'
    echo "$((SECONDS - $1)) s"
    if [ "$4" = 0 ]; then
        echo "$2 passed, $3 failed"
    else
        echo "$2 passed, $3 failed, $4 skipped"
    fi
    [ "$3" = 0 ] && [ "$2" != 0 ]
}
