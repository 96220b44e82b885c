# `tarn window --follow`: files that grow, until a signal comes.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
. "$SOURCE_DIR/tests/window.sh"

# follow ARGUMENT...: in the background.
follow() {
    : >"$out"
    "$TARN" window --time t --time-format ms --every 1s --times ms --follow "$@" >"$out" 2>"$err" &
    process=$!
}

# end SIGNAL: how it ends.
end() {
    [ -z "${1:-}" ] || kill -s "$1" "$process"
    status=0
    wait "$process" || status=$?
}

it "what is added to a file is read, and a window printed when it is complete; SIGTERM is exit 143"
printf 't,k\n1000,a\n' >"$work/grows.csv"
follow "$work/grows.csv"
printf '2500,b\n' >>"$work/grows.csv"
until_true grep -q '^1000,2000,1$' "$out" || fail "the window was not printed"
printf '3500,b\n' >>"$work/grows.csv"
until_true grep -q '^2000,3000,1$' "$out" || fail "the next window was not printed"
end TERM
expect_exit 143
expect_no_err
expect_out 'window_start,window_end,count
1000,2000,1
2000,3000,1'

it "a last line without its end waits for its rest, and is no row when a signal comes"
printf 't,k\n1000,a\n2500,b\n9' >"$work/grows.csv"
follow "$work/grows.csv"
until_true grep -q '^1000,2000,1$' "$out" || fail "the window was not printed"
printf '000,c\n99' >>"$work/grows.csv"
until_true grep -q '^2000,3000,1$' "$out" || fail "the row in two pieces was not read"
end TERM
expect_exit 143
refuse grep -q '^9000' "$out"

it "SIGINT is exit 130"
printf 't,k\n1000,a\n2500,b\n' >"$work/grows.csv"
: >"$out"
env --default-signal=INT "$TARN" window --time t --time-format ms --every 1s --times ms --follow \
    "$work/grows.csv" >"$out" 2>"$err" &
process=$!
until_true grep -q '^1000,2000,1$' "$out" || fail "the window was not printed"
end INT
expect_exit 130
expect_no_err

it "tsv and ndjson can be followed, and a file that has not even a header yet"
: >"$work/grows.tsv"
follow "$work/grows.tsv"
sleep 0.1
printf 't\tk\n1000\ta\n2500\tb\n' >>"$work/grows.tsv"
until_true grep -q '^1000,2000,1$' "$out" || fail "tsv: the window was not printed"
end TERM
expect_exit 143
: >"$work/grows.ndjson"
follow "$work/grows.ndjson"
sleep 0.1
printf '{"t":1000}\n{"t":2500}\n' >>"$work/grows.ndjson"
until_true grep -q '^1000,2000,1$' "$out" || fail "ndjson: the window was not printed"
end TERM
expect_exit 143

it "files before the last are read to their end, the last is followed"
printf 't,k\n500,a\n1000,a' >"$work/old.csv"
printf 't,k\n1200,a\n' >"$work/grows.csv"
follow "$work/old.csv" "$work/grows.csv"
printf '2500,b\n' >>"$work/grows.csv"
until_true grep -q '^1000,2000,2$' "$out" || fail "the window was not printed"
end TERM
expect_eq "$(sed -n 2p "$out")" "0,1000,1"

it "a file that became shorter is exit 3 and says so; open windows are not printed"
printf 't,k\n1000,a\n2500,b\n' >"$work/grows.csv"
follow "$work/grows.csv"
until_true grep -q '^1000,2000,1$' "$out" || fail "the window was not printed"
printf 't,k\n' >"$work/grows.csv"
end
expect_exit 3
expect_err 'it was cut or written anew; start again'
expect_eq "$(wc -l <"$out")" 2

it "a file that was renamed or replaced is read to its end, then exit 3 says so"
printf 't,k\n1000,a\n' >"$work/grows.csv"
follow "$work/grows.csv"
sleep 0.1
mv "$work/grows.csv" "$work/grows.csv.1"
printf '2500,b\n' >>"$work/grows.csv.1"
printf 't,k\n' >"$work/grows.csv"
end
expect_exit 3
expect_err 'was renamed, removed or replaced'

it "gzip, pipes and standard input cannot be followed, with the reason"
printf 't,k\n1000,a\n' | gzip -c >"$work/packed.csv.gz"
run --time t --every 1s --follow "$work/packed.csv.gz"
expect_exit 3
expect_err 'is gzip, which cannot be read while it is being written; leave out --follow'
mkfifo "$work/pipe"
printf 't,k\n' >"$work/pipe" &
run --time t --every 1s --follow -i csv "$work/pipe"
expect_exit 3
expect_err 'is not a regular file'
wait
run --time t --every 1s --follow -i csv -
expect_exit 2
expect_err 'standard input cannot be followed'

it "merged and followed: the source that gives nothing holds the others"
printf 't,k\n1000,a\n' >"$work/a.csv"
printf 't,k\n1100,b\n' >"$work/b.csv"
follow --merge "$work/a.csv" "$work/b.csv"
printf '5500,b\n' >>"$work/b.csv"
sleep 0.4
expect_out ''
printf '2500,a\n' >>"$work/a.csv"
until_true grep -q '^1000,2000,2$' "$out" || fail "the window was not printed"
end TERM
expect_exit 143
expect_eq "$(wc -l <"$out")" 2

it "case 17: with --idle it holds them no more, and counts again when it has caught up"
printf 't,k\n1000,a\n' >"$work/a.csv"
printf 't,k\n1100,b\n' >"$work/b.csv"
follow --merge --idle 200ms "$work/a.csv" "$work/b.csv"
printf '5500,b\n' >>"$work/b.csv"
until_true grep -q '^1000,2000,2$' "$out" || fail "an idle source holds the others"
printf '1500,a\n9000,a\n' >>"$work/a.csv" # wakes behind: late, then caught up
printf '6500,b\n' >>"$work/b.csv"
until_true grep -q '^5000,6000,1$' "$out" || fail "not printed when both had passed it"
end TERM
expect_exit 143
expect_out 'window_start,window_end,count
1000,2000,2
5000,6000,1'

it "case 17: when all are idle the run goes on, and takes what comes later"
printf 't,k\n1000,a\n9000,a\n' >"$work/a.csv"
printf 't,k\n1100,b\n' >"$work/b.csv"
follow --merge --idle 100ms "$work/a.csv" "$work/b.csv"
until_true grep -q '^1000,2000,2$' "$out" || fail "an idle source holds the others"
sleep 0.5
printf '9500,a\n20000,a\n' >>"$work/a.csv"
until_true grep -q '^9000,10000,2$' "$out" || fail "what came later was not taken"
end TERM
expect_exit 143
expect_eq "$(wc -l <"$out")" 3

it "--idle says what it needs"
run --time t --every 1s --idle 1s --merge "$work/a.csv"
expect_exit 2
expect_err 'add --merge --follow'
run --time t --every 1s --idle 0 --merge --follow "$work/a.csv"
expect_exit 2
expect_err 'must be longer than 0'

it "the reader of the output leaves while a file is followed: exit 141, no message"
printf 't,k\n' >"$work/grows.csv"
{
    status=0
    "$TARN" window --time t --time-format ms --every 1s --times ms --follow "$work/grows.csv" \
        2>"$err" || status=$?
    echo "$status" >"$work/status.is"
} | head -n 1 >/dev/null &
tries=0
time=1000
until [ -s "$work/status.is" ] || [ "$tries" -ge 100 ]; do
    printf '%d,a\n' "$time" >>"$work/grows.csv"
    time=$((time + 1000))
    tries=$((tries + 1))
    sleep 0.05
done
expect_eq "$(cat "$work/status.is")" 141
expect_no_err
wait

done_testing
