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

it "each tool that is installed has a line for what it can do, and its rows are tarn's"
run --rows 3000 --repeats 1 --json
expect_eq "$code" 0
for op in csv tsv ndjson; do
    grep -q "^{\"suite\":\"stream\",\"op\":\"window_$op\",\"store\":\"tarn\",\"entries\":3000," "$work/out" ||
        fail "no line for $op"
done
for tool in sqlite3:sqlite3:csv mlr:miller:ndjson datamash:datamash:tsv; do
    name=${tool#*:}
    if command -v "${tool%%:*}" >/dev/null 2>&1; then
        grep -q "\"op\":\"window_${name#*:}\",\"store\":\"${name%:*}\"" "$work/out" || fail "no ${name%:*}"
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
                'rows_per_s file_bytes times_tarn').split():
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
