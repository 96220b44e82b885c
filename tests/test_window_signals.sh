# Signals to `tarn window`: complete lines, open windows not printed, the documented exit code.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
. "$SOURCE_DIR/tests/window.sh"

mkfifo "$work/in"

# signalled SIGNAL CODE: a run that has printed one window and waits in a read for the next row.
# Background jobs of a shell ignore SIGINT, so env gives it back.
signalled() {
    : >"$out" # what an earlier run printed must not be taken for this one's
    env --default-signal="$1" "$TARN" window --time t --time-format ms --every 1s --times ms -i csv \
        <"$work/in" >"$out" 2>"$err" &
    process=$!
    exec 3>"$work/in"
    printf 't,k\n1000,a\n2500,b\n' >&3
    until_true grep -q '^1000,2000,1$' "$out" || fail "the window was not printed while waiting"
    kill -s "$1" "$process"
    status=0
    wait "$process" || status=$?
    exec 3>&-
    expect_exit "$2"
    expect_no_err
    expect_out 'window_start,window_end,count
1000,2000,1'
}

it "SIGINT while waiting for input: exit 130, open windows not printed, no message"
signalled INT 130

it "SIGTERM while waiting for input: exit 143, open windows not printed, no message"
signalled TERM 143

# opened SIGNAL CODE ARGUMENT...: a run that waits for somebody at the other end of a named pipe.
mkfifo "$work/alone"
opened() {
    signal=$1
    wanted=$2
    shift 2
    env --default-signal="$signal" "$TARN" "$@" >"$out" 2>"$err" </dev/null &
    process=$!
    until_true grep -q '^State:.S' "/proc/$process/status" || fail "it does not wait: $*"
    kill -s "$signal" "$process"
    status=0
    wait "$process" || status=$?
    expect_exit "$wanted"
    expect_no_err
}

it "a signal while a named pipe waits for its other end: exit 128 + N, no message"
printf 't\n1\n' >"$work/one.csv"
if [ -e "/proc/$$/status" ]; then
    opened INT 130 window --time t --every 1s -i csv "$work/alone"
    opened TERM 143 window --time t --every 1s --out "$work/alone" "$work/one.csv"
    opened TERM 143 window --time t --every 1s --late-to "$work/alone" "$work/one.csv"
    opened INT 130 load "$work/store" "$work/alone"
    [ ! -e "$work/store" ] || fail "made"
else
    skip "there is no /proc to see a process wait in"
fi

it "SIGTERM while waiting for the header, with nothing read: exit 143, nothing printed"
"$TARN" window --time t --every 1s -i csv <"$work/in" >"$out" 2>"$err" &
process=$!
exec 3>"$work/in"
sleep 0.2
kill -s TERM "$process"
status=0
wait "$process" || status=$?
exec 3>&-
expect_exit 143
expect_no_out

it "a row is printed while the next row is being waited for, in every format"
for format in csv tsv ndjson pretty; do
    : >"$out"
    "$TARN" window --time t --time-format ms --every 1s --times ms -i csv -o "$format" \
        <"$work/in" >"$out" 2>"$err" &
    process=$!
    exec 3>"$work/in"
    printf 't,k\n1000,a\n2500,b\n' >&3
    until_true grep -q '1000.*2000.*1' "$out" || fail "$format: not printed while waiting"
    exec 3>&-
    status=0
    wait "$process" || status=$?
    expect_exit 0
done

it "SIGTERM while printing a big window: exit 143, complete lines"
awk 'BEGIN { print "t,k"; for (i = 0; i < 400000; i++) print "1000,key" i }' >"$work/many.csv"
mkfifo "$work/slow"
"$TARN" window --time t --time-format ms --every 1s --times ms --by k "$work/many.csv" \
    >"$work/slow" 2>"$err" &
process=$!
exec 4<"$work/slow"
dd bs=1 count=100 <&4 >"$work/begin" 2>/dev/null # it prints: the pipe is full, and stays so
kill -s TERM "$process"
cat <&4 >"$work/rest"
exec 4<&-
status=0
wait "$process" || status=$?
expect_exit 143
cat "$work/begin" "$work/rest" >"$out"
expect_eq "$(tail -c 1 "$out" | od -An -c | tr -d ' ')" '\n'
expect_eq "$(grep -cv '^1000,2000,key[0-9]*,1$' "$out")" 1
[ "$(wc -l <"$out")" -lt 400001 ] || fail "all of the window was printed"

it "the reader of the output leaves: exit 141, no message"
{
    status=0
    "$TARN" window --time t --time-format ms --every 1s --by k "$work/many.csv" 2>"$err" || status=$?
    echo "$status" >"$work/status.is"
} | head -n 1 >/dev/null
expect_eq "$(cat "$work/status.is")" 141
expect_no_err

it "SIGINT that was ignored stays ignored"
: >"$out"
(
    trap '' INT
    exec "$TARN" window --time t --time-format ms --every 1s --times ms -i csv <"$work/in" >"$out" 2>"$err"
) &
process=$!
exec 3>"$work/in"
printf 't,k\n1000,a\n2500,b\n' >&3
until_true grep -q '^1000,2000,1$' "$out" || fail "the window was not printed"
kill -s INT "$process"
printf '4000,c\n' >&3
exec 3>&-
status=0
wait "$process" || status=$?
expect_exit 0
expect_eq "$(tail -n 1 "$out")" "4000,5000,1"

done_testing
