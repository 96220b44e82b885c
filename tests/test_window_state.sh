# `tarn window --state`: what it refuses, how it ends, what it says. Kills are in test_window_kills.sh.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
. "$SOURCE_DIR/tests/window.sh"

cd "$work" || exit 1

# Rows of which some are late, and one is bad.
rows() {
    awk -v from="$1" -v to="$2" 'BEGIN {
        print "t,k,x"
        for (i = from; i < to; i++)
            print 1000000 + i * 100 - (i % 17 == 0 ? 9000 : 0) "," (i % 7) "," (i == 321 ? "none" : i)
    }'
}
rows 0 2000 >a.csv
cp a.csv a.kept

windows="--time t --time-format ms --every 5s --by k --agg count,sum(x) --late-to late.csv --out out.csv"

# again OPTION... FILE...: the same windows, into out.csv and late.csv, with state S.
again() {
    status=0
    # shellcheck disable=SC2086
    timeout 200 "$TARN" window $windows --state S "$@" >"$out" 2>"$err" || status=$?
}

# start OPTION...: one that goes on beside the script, until stop.
start() {
    : >"$out"
    "$TARN" window --time t --time-format ms --every 5s "$@" >"$out" 2>"$err" &
    process=$!
}

stop() {
    kill -s TERM "$process"
    status=0
    wait "$process" || status=$?
    expect_exit 143
}

# until_written TEXT FILE: the output is that far.
until_written() {
    until_true grep -q "$1" "$2" || fail "$2 never had $1"
    sleep 0.2 # the rows behind it
}

begin_following() {
    start --by k --agg 'count,sum(x)' --late-to late.csv --out out.csv --state S --follow "$@"
}

fresh() {
    rm -rf S S2 out.csv late.csv
}

# A run that a signal ends with all of a.csv read, and its last rows in the state alone.
interrupted() {
    fresh
    cat a.kept >a.csv
    begin_following --commit-every 100 a.csv
    until_written 00:19:50.000Z out.csv
    stop
}

# shellcheck disable=SC2086
run $windows a.csv
mv out.csv out.wanted
mv late.csv late.wanted

it "with a state the output is the same, whether commits are one a row, some, or none but the last"
for every in 1 77 100000000 1ms 1h; do
    fresh
    again --commit-every "$every" a.csv
    expect_exit 0
    expect cmp out.csv out.wanted
    expect cmp late.csv late.wanted
done

it "a finished state says so and does nothing, also when the input is gone and the output changed"
mv a.csv gone.csv
echo mine >out.csv
again a.csv
expect_exit 0
expect_err "is finished: all of its input was read, 2000 rows"
expect_eq "$(cat out.csv)" mine
mv gone.csv a.csv

it "counts go on: -v tells from where, and the bad row is not told again"
interrupted
expect_err "a.csv:323: bad row"
begin_following -v a.csv
until_true grep -q 'going on behind row 2000' "$err" || fail "it does not go on"
stop
refuse grep -q "bad row" "$err"

it "another command line is refused with what differs"
interrupted
cp -r S kept
again a.csv
expect_exit 3
expect_err "state S is of another command line: there --follow 'on', here --follow 'off'"
again --follow --grace 1s a.csv
expect_exit 3
expect_err "there --grace '0s', here --grace '1s'"
again --follow a.csv a.kept
expect_exit 3
expect_err "there nothing more '', here FILE 'a.kept'"
run --time t --time-format ms --every 5s --by k --agg 'count,sum(x)' --late-to late.csv --state S --follow a.csv
expect_exit 3
expect_err "there --out 'out.csv', here --out ''"

it "an output shorter than recorded, or gone, is refused, and nothing is cut"
cp out.csv out.kept
head -c 20 out.kept >out.csv
again --follow a.csv
expect_exit 3
expect_err "out.csv is shorter than the $(($(wc -c <out.kept))) bytes that were written to it"
expect_eq "$(wc -c <out.csv)" 20
rm out.csv
again --follow a.csv
expect_exit 3
expect_err "out.csv is not there"
cp out.kept out.csv
cp late.csv late.kept
: >late.csv
again --follow a.csv
expect_exit 3
expect_err "late.csv is shorter than the"
cp late.kept late.csv

it "a file that is another one, or holds other bytes, or is shorter, is refused"
cp a.csv b.csv
mv a.csv a.moved
mv b.csv a.csv
again --follow a.csv
expect_exit 3
expect_err "a.csv: is another file than state S was begun with"
mv a.moved a.csv
sed 's/^1000100,1,1$/1000100,1,2/' a.kept >a.changed
cat a.changed >a.csv
again --follow a.csv
expect_exit 3
expect_err "a.csv: its first $(($(wc -c <a.kept))) bytes are not those that were read before"
head -n 100 a.kept >a.csv
again --follow a.csv
expect_exit 3
expect_err "a.csv: ends before byte"
cat a.kept >a.csv

it "after all refusals it goes on, and rows added meanwhile are read"
rows 2000 2400 | tail -n +2 >>a.csv
begin_following a.csv
until_written 00:20:30.000Z out.csv
stop
mv out.csv out.resumed
mv late.csv late.resumed
start --by k --agg 'count,sum(x)' --late-to late.csv --out out.csv --follow a.csv
until_written 00:20:30.000Z out.csv
stop
expect cmp out.csv out.resumed
expect cmp late.csv late.resumed
cat a.kept >a.csv

it "a file that was read to its end is checked as well"
fresh
rows 2000 2400 >b.csv
start --out out.csv --state S --follow a.csv b.csv
until_written 00:20:30.000Z out.csv
stop
cat a.changed >a.csv
run --time t --time-format ms --every 5s --out out.csv --state S --follow a.csv b.csv
expect_exit 3
expect_err "a.csv: its first $(($(wc -c <a.kept))) bytes are not those that were read before"
cat a.kept >a.csv

it "standard input, pipes and -o pretty are refused, and --commit-every without --state"
run --time t --time-format ms --every 5s -i csv --state S2 <a.csv
expect_exit 2
expect_err "standard input cannot be read again"
run --time t --time-format ms --every 5s -o pretty --state S2 a.csv
expect_exit 2
expect_err "-o pretty"
run --time t --time-format ms --every 5s --commit-every 5 a.csv
expect_exit 2
expect_err "add --state DIR"
for every in 0 '' 0s x 99999999999999999999999; do
    run --time t --time-format ms --every 5s --state S2 --commit-every "$every" a.csv
    expect_exit 2
    expect_err "--commit-every"
done
run --time t --time-format ms --every 5s --state '' a.csv
expect_exit 2
[ ! -e S2 ] || fail "a state was made"
mkfifo pipe.csv
run --time t --time-format ms --every 5s --state S2 pipe.csv
expect_exit 3
expect_err "pipe.csv: is no regular file"
run --time t --time-format ms --every 5s --state S2 --out /dev/null a.csv
expect_exit 3
expect_err "/dev/null is no regular file"

it "--explain says where the state is and how often it is committed, and makes none"
rm -rf S2
run --time t --every 5s --state S2 --commit-every 500 --out o --explain a.csv
expect_exit 0
grep -q 'state  *in S2, committed every 500 rows' "$out" || fail "$(cat "$out")"
[ ! -e S2 ] || fail "a state was made"

it "a file that is missing makes no state"
rm -rf S2
run --time t --time-format ms --every 5s --state S2 missing.csv
expect_exit 3
[ ! -e S2 ] || fail "a state was made"

it "a directory in use is refused"
fresh
begin_following a.csv
until_true test -s late.csv || fail "it does not begin"
run_err=$err
err=$work/other
again --follow a.csv
expect_exit 3
expect_err "state S: in use by another process"
err=$run_err
stop

it "a damaged state is refused, and so is what can be none: a file, a link, a place that is not there"
interrupted
cp out.csv out.kept
for file in S/*; do # a byte here and there: what nothing needs any more may be hit as well
    LC_ALL=C tr '\001' '\002' <"$file" >damaged
    cat damaged >"$file"
done
again --follow a.csv
expect_exit 3
expect_err "state S: "
expect cmp out.csv out.kept
echo no >file
run --time t --every 5s --state file a.csv
expect_exit 3
expect_err "file: not a directory"
mkdir real
ln -s real link
run --time t --every 5s --state link a.csv
expect_exit 3
expect_err "link: a symbolic link, which is not followed"
run --time t --every 5s --state no/such a.csv
expect_exit 3
expect_err "no/such: it cannot be made, since no is not there"
expect_eq "$(ls real)" ""

it "no room for the output or the state: exit 4, and with room it goes on to the same output"
fresh
status=0
(
    ulimit -f 16
    # shellcheck disable=SC2086
    exec "$TARN" window $windows --state S --commit-every 50 a.csv 2>"$err"
) || status=$?
expect_exit 4
expect_err "; "
again a.csv
expect_exit 0
expect cmp out.csv out.wanted
expect cmp late.csv late.wanted

it "--strict ends at the bad row each time, and commits nothing behind it"
fresh
again --strict --commit-every 1 a.csv
expect_exit 3
expect_err "a.csv:323: bad row"
again --strict --commit-every 1 a.csv
expect_exit 3
expect_err "a.csv:323: bad row"

it "the time format that auto chose is kept: the first row of a run that goes on does not choose again"
fresh
printf 't\n99999999990\n' >n.csv
"$TARN" window --time t --every 5s --times ms --out out.csv --state S --follow n.csv 2>"$err" &
process=$!
until_true test -s S/0000000000000001.tarn
sleep 0.2
stop
printf '100000000007\n100000000100\n' >>n.csv
"$TARN" window --time t --every 5s --times ms --out out.csv --state S --follow n.csv 2>"$err" &
process=$!
until_written '^100000000005000,' out.csv
stop
expect_eq "$(tail -n 2 out.csv)" "99999999990000,99999999995000,1
100000000005000,100000000010000,1"

it "without --out rows since the last commit come again, the header does not"
fresh
start --state S --follow --commit-every 100 a.csv
until_written 00:19:50.000Z "$out"
stop
expect_eq "$(grep -c window_start "$out")" 1
rows 2000 2100 | tail -n +2 >>a.csv
start --state S --follow --commit-every 100 a.csv
until_written 00:20:00.000Z "$out"
stop
expect_eq "$(grep -c window_start "$out")" 0
cat a.kept >a.csv

done_testing
