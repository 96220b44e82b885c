# tarn bench durable: what it prints, what it refuses, how it ends. Never how long anything takes.
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

[ -x "$TARN" ] || skip_all "there is no command to run"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

run() {
    code=0
    "$TARN" bench durable "$@" >"$work/out" 2>"$work/err" || code=$?
}

left() {
    find "$work" -name 'tarn-bench*'
}

it "every store that is built in has a line for every operation, and the device its two"
run --keys 1500 --repeats 2 --json --dir "$work"
expect_eq "$code" 0
stores=$("$TARN" bench durable --list | sed -n '/^Stores/,$p' | grep -v 'not built in' |
    awk 'NR > 1 { print $1 }')
for store in $stores; do
    for op in put_synced put_1000_synced put_commit_1000 bulk_load bulk_load_close commit_100k \
        reopen_clean recover_kill disk_per_live_byte; do
        grep -q "^{\"suite\":\"durable\",\"op\":\"$op\",\"store\":\"$store\",\"entries\":1500," "$work/out" ||
            fail "no $op of $store"
    done
done
for op in raw_append_sync raw_overwrite_sync; do
    grep -q "\"op\":\"$op\",\"store\":\"raw\"" "$work/out" || fail "no $op"
done
case $stores in tarn*) ;; *) fail "tarn is not the first of: $stores" ;; esac
expect_eq "$(left)" ""

it "a line of JSON has what the contract says, and a rate is compared the right way round"
if command -v python3 >/dev/null 2>&1; then
    expect python3 -c "
import json
rows = [json.loads(line) for line in open('$work/out')]
tarn = {row['op']: row['median'] for row in rows if row['store'] == 'tarn'}
rates = ('per s', 'puts/s')
for row in rows:
    for key in ('suite op store entries key_bytes value_bytes median min max unit repeats '
                'operations notes').split():
        assert key in row, key
    assert 0 <= row['min'] <= row['median'] <= row['max'], row
    assert row['key_bytes'] == 8 and row['value_bytes'] == 128
    assert row['repeats'] == (20 if '_per_' in row['op'] else 2), row
    if row['store'] not in ('tarn', 'raw') and 'times_tarn' in row:
        times = row['median'] / tarn[row['op']] if tarn[row['op']] else 0
        times = 1 / times if row['unit'] in rates else times
        assert abs(row['times_tarn'] - times) < 0.02 * times + 0.01, row
sums = {row['op']: row for row in rows if row['store'] == 'tarn'}
assert sums['put_synced']['unit'] == 'per s' and sums['put_1000_synced']['unit'] == 'puts/s'
# All of it lies on the disk, and what changed was written.
assert sums['disk_per_live_byte']['min'] >= 1, sums['disk_per_live_byte']
if 'written_per_changed_byte' in sums:
    assert sums['written_per_changed_byte']['min'] >= 0.5, sums['written_per_changed_byte']"
else
    skip "python3 is not here"
fi

it "one entry is enough, and --stores chooses"
run --keys 1 --repeats 1 --stores tarn --dir "$work"
expect_eq "$code" 0
grep -q '^recover_kill  *tarn ' "$work/out" || fail "no row"
refuse grep -q sqlite "$work/out"
expect_eq "$(left)" ""

it "--ops chooses, and of what is not asked for nothing is done"
run --keys 1000 --repeats 2 --stores tarn --ops reopen_clean,raw_append_sync --json --dir "$work"
expect_eq "$code" 0
expect_eq "$(sed 's/.*"op":"\([a-z_0-9]*\)","store":"\([a-z]*\)".*/\1 \2/' "$work/out" | tr '\n' ' ')" \
    "reopen_clean tarn raw_append_sync raw "
for op in put_synced put_1000_synced put_commit_1000 bulk_load bulk_load_close commit_100k \
    reopen_clean recover_kill disk_per_live_byte; do
    run --keys 1000 --repeats 1 --stores tarn --ops "$op" --dir "$work"
    expect_eq "$code" 0
    expect_eq "$(grep -c "^$op  *tarn " "$work/out") $(grep -c '^[a-z_0-9]*  *\(tarn\|raw\) ' "$work/out")" "1 1"
done
expect_eq "$(left)" ""

it "--seconds ends a row early, but not before its first repeat"
run --keys 300K --repeats 100 --stores tarn --ops bulk_load,recover_kill --seconds 1 --json --dir "$work"
expect_eq "$code" 0
for op in bulk_load recover_kill; do
    repeats=$(sed -n "s/.*\"op\":\"$op\".*\"repeats\":\([0-9]*\).*/\1/p" "$work/out")
    expect test "$repeats" -ge 1
    expect test "$repeats" -lt 100
done

it "what it cannot understand is exit 2, with a reason"
for arguments in "--keys 0" "--keys x" "--keys 2G" "--repeats 101" "--stores tarn," "--stores nobody" \
    "extra" "--nonsense" "--ops get_random" "--ops put_synced," "--seconds 0" "--seconds x"; do
    # shellcheck disable=SC2086
    run $arguments
    expect_eq "$code" 2
    [ -s "$work/err" ] || fail "no reason: $arguments"
done

it "a directory that is not there is exit 4 and is named"
run --keys 10 --repeats 1 --dir "$work/none"
expect_eq "$code" 4
grep -q "tarn: $work/none/.*No such file" "$work/err" || fail "it says: $(cat "$work/err")"

it "a store whose writes fail has no rows, and its reason is told"
code=0
(ulimit -f 40 && trap '' XFSZ && exec "$TARN" bench durable --keys 3000 --repeats 1 --stores tarn --dir "$work") \
    >"$work/out" 2>"$work/err" || code=$?
expect_eq "$code" 4
grep -q "tarn: load: " "$work/err" || fail "it says: $(cat "$work/err")"
refuse grep -q '^bulk_load' "$work/out"
expect_eq "$(left)" ""

it "nothing is left behind, after a signal neither"
"$TARN" bench durable --keys 1M --repeats 100 --stores tarn --dir "$work" >"$work/out" 2>"$work/err" &
pid=$!
sleep 1
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
expect_eq "$code" 143
expect_eq "$(left)" ""
expect_eq "$(cat "$work/out")" ""

done_testing
