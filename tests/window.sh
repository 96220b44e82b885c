# window.sh - what the test_window_*.sh scripts share; sourced behind tap.sh
#
#     run --time t --every 1s -i csv FILE     runs 'tarn window', keeps what it says
#     expect_exit 0                           its exit code; what it said is shown when another
#     expect_out 'window_start,...'           exactly this on standard output
#     expect_err 'what; what to do'           this somewhere on standard error
# shellcheck shell=sh disable=SC2034

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
out=$work/out
err=$work/err
wikipedia=$SOURCE_DIR/data/wikipedia_edits_2015-09-12.ndjson.gz
quakes=$SOURCE_DIR/data/usgs_quakes_by_update.csv.gz

run() {
    status=0
    "$TARN" window "$@" >"$out" 2>"$err" || status=$?
}

expect_exit() {
    [ "$status" -eq "$1" ] || fail "exit $status, not $1; it said:
$(head -c 2000 "$err")"
}

expect_out() {
    expect_eq "$(cat "$out")" "$1"
}

expect_no_out() {
    [ ! -s "$out" ] || fail "there is output: $(head -c 500 "$out")"
}

expect_err() {
    grep -qF -e "$1" "$err" || fail "not said: $1
said: $(head -c 2000 "$err")"
}

expect_no_err() {
    [ ! -s "$err" ] || fail "there are messages: $(head -c 500 "$err")"
}

# Resident memory is what must stay bounded; address space is what can be limited. The store reserves
# 1 GiB of it at least, so a limit of 1 GiB and this many KiB more bounds all else.
limit_memory() {
    ulimit -v $((1024 * 1024 + 200 * 1024))
}

# Sanitizers reserve terabytes of address space; a limit on it stops the program from starting.
memory_can_be_limited() {
    { (limit_memory && "$TARN" version >/dev/null); } 2>/dev/null
}

# Wait, up to 20 s, until a command succeeds.
until_true() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 400 ] || return 1
        sleep 0.05
    done
}
