# tarn bench stream: what it prints, what it refuses, how it ends. Never how long anything takes.
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

[ -x "$TARN" ] || skip_all "there is no command to run"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export TMPDIR="$work"

run() {
    code=0
    "$TARN" bench stream "$@" >"$work/out" 2>"$work/err" || code=$?
}

ops=$(for kind in window hop session grace changes state; do printf '%s,' "$kind"_csv "$kind"_tsv "$kind"_ndjson; done)

it "each tool that is installed has a line for what it can do, and its rows are tarn's"
run --rows 3000 --repeats 1 --json --ops "${ops%,}"
expect_eq "$code" 0
for op in $(echo "${ops%,}" | tr , ' '); do
    grep -q "^{\"suite\":\"stream\",\"op\":\"$op\",\"store\":\"tarn\",\"entries\":3000," "$work/out" ||
        fail "no line for $op"
done
for tool in sqlite3:sqlite3:window_csv mlr:miller:window_ndjson datamash:datamash:window_tsv sqlite3:sqlite3:hop_tsv \
    sqlite3:sqlite3:session_csv mlr:miller:hop_ndjson mlr:miller:session_tsv; do
    name=${tool#*:}
    if command -v "${tool%%:*}" >/dev/null 2>&1; then
        grep -q "\"op\":\"${name#*:}\",\"store\":\"${name%:*}\"" "$work/out" || fail "no ${name%:*} in ${name#*:}"
    else
        grep -q "${name%:*} is not installed" "$work/err" || fail "${name%:*} is missing and not told"
    fi
done
refuse grep -q "other rows" "$work/err"

it "a line of JSON has what the contract says"
if command -v python3 >/dev/null 2>&1; then
    expect python3 -c "
import json
for line in open('$work/out'):
    row = json.loads(line)
    for key in ('suite op store entries key_bytes value_bytes median min max unit repeats '
                'rows_per_s file_bytes processor_median times_tarn').split():
        assert key in row, key
    assert row['min'] <= row['median'] <= row['max'] and row['unit'] == 'MB/s'"
else
    skip "python3 is not here"
fi

it "--ops and --stores choose, --list names what there is"
run --rows 100 --repeats 1 --ops window_tsv --stores tarn
expect_eq "$code" 0
expect_eq "$(wc -l <"$work/out")" 2
run --list
expect_eq "$code" 0
grep -q window_ndjson "$work/out" && grep -q datamash "$work/out" || fail "not listed"

it "the operator alone: a line for each op, and all events counted"
run --rows 100 --repeats 1 --json --ops tumble_100,sessions_100k
expect_eq "$code" 0
grep -q '"op":"tumble_100","store":"tarn","entries":100,.*"unit":"M events/s".*"events":4000,"rows_out":200}' "$work/out" ||
    fail "tumble_100: $(cat "$work/out")"
grep -q '"op":"sessions_100k"' "$work/out" || fail "no sessions_100k"

it "what it cannot understand is exit 2, with a reason"
for arguments in "--rows 0" "--rows x" "--rows 2G" "--repeats 101" "--ops window" "--stores mlr," \
    "extra" "--nonsense"; do
    # shellcheck disable=SC2086
    run $arguments
    expect_eq "$code" 2
    [ -s "$work/err" ] || fail "no reason: $arguments"
done

it "no room for the files is exit 4 and says where"
TMPDIR=$work/none run --rows 100
expect_eq "$code" 4
grep -q "set TMPDIR" "$work/err" || fail "it says: $(cat "$work/err")"

it "nothing is left behind, after a signal neither"
"$TARN" bench stream --rows 3M --repeats 100 >"$work/out" 2>"$work/err" &
pid=$!
sleep 1
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
expect_eq "$code" 143
expect_eq "$(find "$work" -name 'tarn-bench*')" ""

done_testing
