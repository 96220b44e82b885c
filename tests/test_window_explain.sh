# `tarn window --explain`: in words what would be computed, and nothing else happens.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
. "$SOURCE_DIR/tests/window.sh"

printf 't,k,x\nsoon,a,1\n1500000000,a,1\n' >"$work/a.csv"
printf '{"t":1}\n' >"$work/b.ndjson"

it "it says what is read, how, and what comes out, word for word"
run --explain --time t --every 1.5h --offset=-10m --by k --late 90s --agg 'n=count,sum(x)' \
    --out "$work/never" "$work/a.csv"
expect_exit 0
expect_no_err
expect_out "input     $work/a.csv: as its name says
time      field 't'; auto: s, as $work/a.csv:3 says
windows   of 1h30m, one behind the other: [start, end), starting at multiples of 1h30m plus -10m since 1970 in UTC
group by  field 'k'
compute   n: rows
          sum(x): exact sum of 'x'
late      rows may come up to 1m30s out of order: the watermark is the greatest time minus 1m30s minus 1 ms
          a row that no window takes any more is late: counted and dropped
bad rows  are told (the first 10), counted and skipped
emit      each window once, when the watermark has reached its end minus 1 ms; the end of the input completes all
output    csv to $work/never; window times as ISO 8601 in UTC"
[ ! -e "$work/never" ] || fail "the output was made"

it "several files, merged and followed, are said to be"
run --explain --time t --every 1h --strict --times ms -o pretty --merge --follow --idle 30s \
    --agg 'count(t),min(t),max(t),avg(t),first(t),last(t),distinct(t)' "$work/a.csv" "$work/b.ndjson"
expect_exit 0
for sentence in "merged: each is a source" "each is followed as it grows" \
    "nothing for more than 30s holds" "nothing: one row of output" "in order in each source" \
    "the first ends the run with exit code 3" "a table to standard output" \
    "milliseconds since 1970" "count(t): rows where 't' is not empty" "exact mean of 't'" \
    "a signal prints none"; do
    grep -qF "$sentence" "$out" || fail "not said: $sentence"
done

it "every kind of window, lateness and emission is said in its own words"
run --explain --time t --every 1h --slide 15m --grace 5m --late-to "$work/late" --max-ahead 1d \
    --emit changes "$work/a.csv"
expect_exit 0
for sentence in "of 1h, overlapping: [start, end), starting at multiples of 15m" \
    "until the watermark is 5m behind their end" "counted, and written to $work/late" \
    "more than 1d ahead of the watermark" "again for each late row it takes" "column op: +"; do
    grep -qF "$sentence" "$out" || fail "not said: $sentence"
done
run --explain --time t --every 15m --slide 1h --grace 5m "$work/a.csv"
grep -qF "with gaps between them" "$out" || fail "gaps"
grep -qF "its end minus 1 ms plus 5m" "$out" || fail "grace"
run --explain --time t --session 30m --emit every=10m "$work/a.csv"
grep -qF "sessions: a group's rows that follow each other within 30m" "$out" || fail "sessions"
grep -qF "what has changed, each 10m of event time" "$out" || fail "every"
[ ! -e "$work/late" ] || fail "the file for late rows was made"

it "standard input is not read"
printf 'all of it' >"$work/in"
{
    "$TARN" window --explain -i csv --time t --every 1h >"$out" 2>"$err"
    cat >"$work/left"
} <"$work/in"
expect_eq "$(cat "$work/left")" "all of it"
grep -q 'standard input: csv; not looked at' "$out" || fail "not said"
grep -q 'the first that can be read decides' "$out" || fail "auto is not explained"

it "a file that is missing, or lacks a field, is exit 3, and nothing is explained"
run --explain --time t --every 1h "$work/none.csv"
expect_exit 3
expect_no_out
run --explain --time t --by no "$work/a.csv" --every 1h
expect_exit 3
expect_err 'there is no column "no"'
expect_no_out

it "a pipe that nobody writes to is explained at once"
mkfifo "$work/pipe"
run --explain -i csv --time t --every 1h "$work/pipe"
expect_exit 0

done_testing
