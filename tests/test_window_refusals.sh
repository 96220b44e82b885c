# What `tarn window` does with what it cannot use: a message that says what, where and what to do,
# the documented exit code, bounded memory.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
. "$SOURCE_DIR/tests/window.sh"

printf 't,k,x\n1000,a,1\n2000,b,2\n3000,c,3\n' >"$work/good.csv"
cp "$work/good.csv" "$work/good.as.csv"

# ---- the command line ----------------------------------------------------------------------------

# usage_error MESSAGE OPTION...: exit 2 with this message and without output.
usage_error() {
    message=$1
    shift
    run "$@"
    expect_exit 2
    expect_no_out
    expect_err "$message"
    expect_eq "$(wc -l <"$err" | tr -d ' ')" 1
}

# refused_option MESSAGE OPTION...: the same, of a command line that is right but for OPTION.
refused_option() {
    message=$1
    shift
    usage_error "$message" --time t --every 1s "$@" "$work/good.csv"
}

it "a missing --time or --every is named, with what to write"
usage_error "tarn window: option --time is missing; write --time FIELD" --every 1h "$work/good.csv"
usage_error "tarn window: option --every is missing; write --every DUR" --time t "$work/good.csv"

it "an unknown option is named, and the nearest known one"
usage_error "unknown option --evry; did you mean --every?" --evry 1h
usage_error "unknown option --zzzzzzzz; tarn window --help lists them all" --zzzzzzzz
usage_error "unknown option -q;" -q

it "an option without its value, one given twice, one that takes none, are named"
usage_error "option --by needs a value; write --by FIELD[,FIELD...]" --time t --every 1s --by
usage_error "option -o needs a value; write -o csv|tsv|ndjson|pretty" -o
usage_error "option --by was given twice, 'a' and 'b'; keep one" --by a --by b
usage_error "option --strict takes no value; leave out '=yes'" --strict=yes
usage_error "option --ti could be several; write it out" --ti t

it "a bad duration is quoted"
for duration in 10 x 1y '' -1s '1 h' 9999999999999d; do
    usage_error "option --every:" --time t --every "$duration" "$work/good.csv"
done
usage_error "option --every:" --time t --every 0s "$work/good.csv"
refused_option "option --late:" --late=-1s
refused_option "option --offset:" --offset 1s
refused_option "option --offset:" --offset=-1s

it "a bad aggregate is quoted"
refused_option "option --agg: 'median(x)': no such aggregate; there are count, sum," --agg 'median(x)'
refused_option "option --agg: 'sum': names no field; write sum(field)" --agg 'sum'
refused_option "option --agg: 'sum()': names no field" --agg 'sum()'
refused_option "option --agg: 'sum(x': parentheses do not match" --agg 'sum(x'
refused_option "option --agg: 'sum(x))': parentheses do not match" --agg 'sum(x))'
refused_option "option --agg: empty item" --agg 'count,'
refused_option "option --agg: '=count': the name before '=' is empty" --agg '=count'

it "two output columns of one name are refused, with how to name one"
refused_option "two output columns would be called 'sum(x)'; name one in --agg" --agg 'sum(x),sum(x)'
refused_option "two output columns would be called 'k'; name one in --agg" --by k --agg 'k=count'
refused_option "two output columns would be called 'k'; leave it out of --by" --by k,k
refused_option "two output columns would be called 'window_end'" --by window_end

it "a bad choice lists what there is"
refused_option "option -o: 'xml' is none of its values; write csv, tsv, ndjson or pretty" -o xml
refused_option "option -i: 'xml' is none of its values; write csv, tsv or ndjson" -i xml
refused_option "option --times: 'us' is none of its values; write iso or ms" --times us
refused_option "option --time-format:" --time-format us2
refused_option "option --by: an empty field name" --by k,

it "an empty name of an output is a usage error"
refused_option "option --out: the name is empty; write that of a file" --out ''
refused_option "option --late-to: the name is empty; write that of a file" --late-to ''

it "standard input needs -i"
usage_error "standard input has no name to tell its format; write -i csv" --time t --every 1s

it "an output that is also an input is refused before it is touched"
refused_option "is both input and output" --out "$work/good.csv"
expect cmp "$work/good.csv" "$work/good.as.csv"
status=0
"$TARN" window --time t --every 1s "$work/good.csv" >>"$work/good.csv" 2>"$err" || status=$?
expect_exit 2
expect cmp "$work/good.csv" "$work/good.as.csv"

it "an output and a file for late rows that are one file by two names are refused, also when it is new"
ln -s new.csv "$work/link.csv"
for late in "$work/./new.csv" "$work/link.csv"; do
    rm -f "$work/new.csv"
    refused_option "is both the output and for late rows" --out "$work/new.csv" --late-to "$late"
    [ ! -s "$work/new.csv" ] || fail "written: $(cat "$work/new.csv")"
done

it "verbs: an unknown one is exit 2 and the nearest is named; a missing one is exit 2"
status=0
"$TARN" windw 2>"$err" || status=$?
expect_exit 2
expect_err "tarn: unknown verb 'windw'; did you mean 'window'?"
status=0
"$TARN" 2>"$err" || status=$?
expect_exit 2

# ---- inputs --------------------------------------------------------------------------------------

# refused CODE MESSAGE FILE...
refused() {
    code=$1
    message=$2
    shift 2
    run --time t --time-format ms --every 1s "$@"
    expect_exit "$code"
    expect_err "$message"
    expect_no_out
}

it "a missing file is exit 3, also when it is the last of several, and nothing is written"
refused 3 "$work/gone.csv" "$work/gone.csv"
refused 3 "$work/gone.csv" "$work/good.csv" "$work/gone.csv"
run --time t --every 1s --out "$work/untouched" "$work/gone.csv"
[ ! -e "$work/untouched" ] || fail "--out was created although nothing could be read"

it "a directory is exit 3"
mkdir "$work/dir.csv"
refused 3 "$work/dir.csv" "$work/dir.csv"

it "a file without permission is exit 3"
if [ "$(id -u)" -eq 0 ]; then
    skip "root may read everything"
else
    cp "$work/good.csv" "$work/secret.csv"
    chmod 0 "$work/secret.csv"
    refused 3 "$work/secret.csv" "$work/secret.csv"
fi

it "an unknown column is exit 3 and named"
run --time t --time-format ms --every 1s --by nowhere "$work/good.csv"
expect_exit 3
expect_err "$work/good.csv"
expect_err "nowhere"
expect_no_out

it "a file without a header is exit 3: its first row names no such column"
printf '1000,a\n2000,b\n' >"$work/headless.csv"
refused 3 "$work/headless.csv" "$work/headless.csv"
expect_err '"t"'

it "an empty file is a table without rows: a header, exit 0"
for format in csv tsv; do
    : >"$work/empty.$format"
    run --time t --every 1s "$work/empty.$format"
    expect_exit 0
    expect_out 'window_start,window_end,count'
done

it "an empty ndjson file is no rows: exit 0"
: >"$work/empty.ndjson"
run --time t --every 1s "$work/empty.ndjson"
expect_exit 0

it "a name that does not tell the format is exit 3"
cp "$work/good.csv" "$work/good.dat"
run --time t --every 1s "$work/good.dat"
expect_exit 3
expect_err "$work/good.dat: "
expect_err "csv, tsv or ndjson"
expect_no_out

it "a truncated .gz is exit 4, and what is still open is not printed"
awk 'BEGIN { print "t,k"; for (i = 0; i < 200000; i++) print i ",a" }' | gzip -c >"$work/long.csv.gz"
head -c 300000 "$work/long.csv.gz" >"$work/cut.csv.gz"
run --time t --time-format ms --every 1s "$work/cut.csv.gz"
expect_exit 4
expect_err "$work/cut.csv.gz"
run --time t --time-format ms --every 1d "$work/cut.csv.gz"
expect_exit 4
[ "$(wc -l <"$out")" -le 1 ] || fail "an open window was printed"

# ---- rows ----------------------------------------------------------------------------------------

it "bad rows are told with file, line and reason, counted, and skipped"
printf 't,k,x\n1000,a,1\nyesterday,b,2\n1500,c,many\n2000,d,4\n' >"$work/bad.csv"
run --time t --time-format ms --every 1d --agg 'sum(x)' --times ms "$work/bad.csv"
expect_exit 0
expect_out 'window_start,window_end,sum(x)
0,86400000,5'
expect_err "tarn window: $work/bad.csv:3: bad row: "
expect_err "yesterday"
expect_err "tarn window: $work/bad.csv:4: bad row: "
expect_err "many"
expect_err "2 of 4 rows were bad and left out; --strict stops at the first"

it "--strict stops at the first bad row with exit 3, open windows are not printed"
run --time t --time-format ms --every 1d --agg 'sum(x)' --strict "$work/bad.csv"
expect_exit 3
expect_err "$work/bad.csv:3: bad row: "
[ "$(wc -l <"$out")" -le 1 ] || fail "an open window was printed"

it "only fields that are used can make a row bad"
run --time t --time-format ms --every 1d --strict --agg 'count(x)' "$work/good.csv"
expect_exit 0
printf '{"t":1000,"x":"many","y":[[]],"z":1e999}\n' >"$work/unused.ndjson"
run --time t --time-format ms --every 1d --strict "$work/unused.ndjson"
expect_exit 0

it "the first 10 bad rows are told, the others only counted"
awk 'BEGIN { print "t"; for (i = 0; i < 1000; i++) print "never" i }' >"$work/never.csv"
run --time t --time-format ms --every 1s "$work/never.csv"
expect_exit 0
expect_eq "$(grep -c 'bad row: ' "$err")" 10
expect_err "never.csv:12: another bad row; from here on they are only counted"
expect_err "1000 of 1000 rows were bad"

it "nothing in a row steers the terminal through a message"
printf 't\n\033[31mred\001\n' >"$work/steer.csv"
run --time t --time-format ms --every 1s "$work/steer.csv"
expect_exit 0
expect_eq "$(tr -d '\n' <"$err" | LC_ALL=C tr -d ' -~\200-\377' | wc -c | tr -d ' ')" 0

it "nothing in a file's name steers the terminal through a message"
run --time t --every 1s "$work/$(printf '\033[31m')gone.csv"
expect_exit 3
expect_eq "$(tr -d '\n' <"$err" | LC_ALL=C tr -d ' -~\200-\377' | wc -c | tr -d ' ')" 0

it "broken quoting, broken JSON and a duplicate key are bad rows"
printf 't,k\n1000,"a"b\n2000,c\n' >"$work/quote.csv"
run --time t --time-format ms --every 1d --by k "$work/quote.csv"
expect_exit 0
expect_err "$work/quote.csv:2: bad row: "
printf '{"t":1000\n[1]\n{"t":1,"t":2}\n{"t":3000}\nnull\n' >"$work/broken.ndjson"
run --time t --time-format ms --every 1d --times ms "$work/broken.ndjson"
expect_exit 0
expect_err "$work/broken.ndjson:1: bad row: "
expect_err "4 of 5 rows were bad"
expect_out 'window_start,window_end,count
0,86400000,1'

it "numbers: what needs more than 18 decimals or 128 bits is a bad row"
printf 't,x\n0,0.0000000000000000001\n0,1e39\n0,0x10\n0,"1,5"\n0,nan\n0,+1.5e1\n0,-0\n' >"$work/numbers.csv"
run --time t --time-format ms --every 1d --times ms --agg 'sum(x),min(x),max(x),avg(x)' "$work/numbers.csv"
expect_exit 0
expect_eq "$(tail -n 1 "$out" | cut -d , -f 3,5)" "15,15"

it "a sum that leaves 128 bits ends the run with exit 3, the row and nothing half"
printf 't,x\n0,170141183460469231731687303715884105727\n1,1\n2,1\n' >"$work/sum.csv"
run --time t --time-format ms --every 1d --agg 'sum(x)' "$work/sum.csv"
expect_exit 3
expect_err "$work/sum.csv:3: sum(x): "
[ "$(wc -l <"$out")" -le 1 ] || fail "an open window was printed"

it "binary junk is bad rows or refused, never a crash"
head -c 300000 /bin/sh >"$work/junk"
for format in csv tsv ndjson; do
    run --time t --every 1s -i "$format" "$work/junk"
    [ "$status" -eq 3 ] || [ "$status" -eq 0 ] || fail "$format: exit $status"
    [ -s "$err" ] || fail "$format: nothing was said"
    { echo 't,k'; cat "$work/junk"; } >"$work/junk.csv"
    run --time t --every 1s "$work/junk.csv"
    expect_exit 0
done

# ---- memory --------------------------------------------------------------------------------------

# bounded FORMAT: what comes on standard input, in 200 MiB beside the store's address space.
bounded() {
    status=0
    (
        limit_memory
        exec "$TARN" window --time t --time-format ms --every 1s -i "$1" >"$out" 2>"$err"
    ) || status=$?
}

if memory_can_be_limited; then
    it "a line of 100 MB is one bad row in bounded memory, and the rows behind it count"
    { echo 't,k'; head -c 100000000 /dev/zero | tr '\0' a; echo; echo '1000,b'; } | {
        bounded csv
        expect_exit 0
        expect_err "standard input:2: bad row: "
        expect_eq "$(tail -n 1 "$out")" "1970-01-01T00:00:01.000Z,1970-01-01T00:00:02.000Z,1"
        exit "$tap_bad"
    } || fail "csv"
    { head -c 100000000 /dev/zero | tr '\0' a; echo; echo '{"t":1000}'; } | {
        bounded ndjson
        expect_exit 0
        expect_err "standard input:1: bad row: "
        expect_eq "$(tail -n 1 "$out")" "1970-01-01T00:00:01.000Z,1970-01-01T00:00:02.000Z,1"
        exit "$tap_bad"
    } || fail "ndjson"

    it "an endless stream of opening brackets is one bad row in bounded memory"
    head -c 300000000 /dev/zero | tr '\0' '[' | {
        bounded ndjson
        expect_exit 0
        expect_err "1 of 1 rows were bad"
        exit "$tap_bad"
    } || fail "see above"

    it "a quote that is never closed is one bad row in bounded memory"
    { echo 't,k'; printf '1000,"'; head -c 100000000 /dev/zero | tr '\0' '\n'; } | {
        bounded csv
        expect_exit 0
        expect_err "standard input:2: bad row: "
        exit "$tap_bad"
    } || fail "see above"

    it "too little memory to begin with is exit 4 with a message"
    status=0
    (
        ulimit -v 400000
        exec "$TARN" window --time t --time-format ms --every 1s "$work/good.csv" >"$out" 2>"$err"
    ) || status=$?
    expect_exit 4
    expect_err "out of memory"
else
    it "memory is bounded"
    skip "address space cannot be limited here (sanitizers)"
fi

# ---- output --------------------------------------------------------------------------------------

it "a full disk is exit 4 with a message, to standard output and with --out"
if [ -c /dev/full ]; then
    status=0
    "$TARN" window --time t --time-format ms --every 1s "$work/good.csv" >/dev/full 2>"$err" || status=$?
    expect_exit 4
    expect_err "tarn window: cannot write standard output: No space left on device; the output is incomplete"
    run --time t --time-format ms --every 1s --out /dev/full "$work/good.csv"
    expect_exit 4
    expect_err "cannot write /dev/full: No space left on device"
    status=0
    "$TARN" --help >/dev/full 2>"$err" || status=$?
    expect_exit 4
    status=0
    "$TARN" version >/dev/full 2>"$err" || status=$?
    expect_exit 4
else
    skip "there is no /dev/full here"
fi

# full COMMAND...: where a file has at most 100 KiB (or 200, as the shell counts), its exit code is 4.
full() {
    status=0
    (ulimit -f 200 && "$@") 2>"$err" || status=$?
    expect_exit 4
    expect_err "File too large; the output is incomplete"
}

it "a disk that is full in the middle of a line leaves whole lines, in --out, --late-to and standard output"
awk 'BEGIN { print "t,k"; for (i = 0; i < 20000; i++) print i ",\"k" i "\ny\"" }' >"$work/rows.csv"
set -- window --time t --time-format s --every 1s --times ms
"$TARN" "$@" --by k "$work/rows.csv" >"$work/whole" || fail "window"
# begins FILE WHOLE: FILE is not empty, ends behind a row, and WHOLE begins with it.
begins() {
    [ -s "$1" ] || fail "$1: nothing was written"
    expect cmp -n "$(wc -c <"$1")" "$1" "$2"
    expect_eq "$(tail -n 1 "$1" | grep -c '^y"')" 1
}
full "$TARN" "$@" --by k --out "$work/cut" "$work/rows.csv"
begins "$work/cut" "$work/whole"
# shellcheck disable=SC2317
to_stdout() {
    "$TARN" "$@" >"$work/cut"
}
full to_stdout "$@" --by k "$work/rows.csv"
begins "$work/cut" "$work/whole"
(sed -n 1p "$work/rows.csv" && echo 99999,z && tail -n +2 "$work/rows.csv") >"$work/late-rows.csv"
tail -n +2 "$work/rows.csv" | sed '1i t,k' >"$work/whole"
full "$TARN" "$@" --late-to "$work/cut" --out "$work/one" "$work/late-rows.csv"
begins "$work/cut" "$work/whole"

it "what was in a file before, and what comes behind a failed write, are left as they are"
# shellcheck disable=SC2317
appended() {
    echo before >"$work/cut"
    "$TARN" "$@" >>"$work/cut"
}
full appended "$@" --by k "$work/rows.csv"
expect_eq "$(head -n 2 "$work/cut")" "before
window_start,window_end,k,count"
# shellcheck disable=SC2317
in_turn() {
    { "$TARN" "$@"; code=$?; echo behind; } >"$work/cut"
    return $code
}
full in_turn "$@" --by k "$work/rows.csv"
expect_eq "$(tail -n 1 "$work/cut")" behind
expect_eq "$(tr -d '\000' <"$work/cut" | wc -c)" "$(wc -c <"$work/cut")"

it "a closed standard output is exit 4, and no file is written in its place"
status=0
"$TARN" window --time t --time-format ms --every 1s "$work/good.csv" >&- 2>"$err" || status=$?
expect_exit 4
expect_err "cannot write standard output"
expect cmp "$work/good.csv" "$work/good.as.csv"

it "a closed standard input is exit 4"
status=0
"$TARN" window --time t --time-format ms --every 1s -i csv <&- >"$out" 2>"$err" || status=$?
expect_exit 4

it "with standard input and standard error closed, no message ends up among the data"
status=0
"$TARN" window --time t --time-format ms --every 1d --times ms --out "$work/alone" "$work/bad.csv" \
    <&- 2>&- >"$out" || status=$?
expect_exit 0
expect_eq "$(cat "$work/alone")" 'window_start,window_end,count
0,86400000,3'

it "an --out that cannot be created is exit 4 and named"
run --time t --time-format ms --every 1s --out "$work/none/x" "$work/good.csv"
expect_exit 4
expect_err "cannot write $work/none/x: No such file or directory"

done_testing
