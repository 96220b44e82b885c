# The options of windows that slide, sessions, lateness and emission, from the command line: what they
# print, what they refuse, and the file of --late-to. The windows themselves: test_window_*.c.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
. "$SOURCE_DIR/tests/window.sh"

printf 't,k,x\n1,a,1\n3,b,2\n7,a,3\n12,a,5\n2,a,9\n25,b,1\n' >"$work/rows.csv"

# windows OPTION...: over those rows, by k.
windows() {
    run --time t --time-format ms --times ms --by k --agg 'n=count,sum(x)' "$@" "$work/rows.csv"
}

# mistake MESSAGE OPTION...: exit 2 with this message, nothing written.
mistake() {
    message=$1
    shift
    run --time t "$@" "$work/rows.csv"
    expect_exit 2
    expect_no_out
    expect_err "$message"
    expect_eq "$(wc -l <"$err" | tr -d ' ')" 1
}

# ---- what is printed -----------------------------------------------------------------------------

it "--slide: a row is in each window that holds it"
windows --every 10ms --slide 5ms --late 20ms
expect_exit 0
expect_no_err
expect_out 'window_start,window_end,k,n,sum(x)
-5,5,a,2,10
-5,5,b,1,2
0,10,a,3,13
0,10,b,1,2
5,15,a,2,8
10,20,a,1,5
20,30,b,1,1
25,35,b,1,1'

it "--slide longer than --every: rows between windows are in none, and -v counts them"
windows --every 3ms --slide 5ms --late 20ms -v
expect_exit 0
expect_out 'window_start,window_end,k,n,sum(x)
0,3,a,2,10
5,8,a,1,3
10,13,a,1,5
25,28,b,1,1'
expect_err "1 rows lay between windows, in none"

it "--session: by end, then by key"
windows --session 5ms --late 20ms
expect_exit 0
expect_out 'window_start,window_end,k,n,sum(x)
3,8,b,1,2
1,17,a,4,18
25,30,b,1,1'

it "--emit changes has a column op, and takes back what a merge has removed"
windows --session 5ms --grace 20ms --emit changes
expect_exit 0
expect_out 'window_start,window_end,k,n,sum(x),op
1,6,a,1,1,+
3,8,b,1,2,+
1,6,a,1,1,-
1,17,a,4,18,+
25,30,b,1,1,+'

it "--emit changes: ndjson has op as a string, pretty as a column"
windows --every 10ms --emit changes -o ndjson
expect_eq "$(head -n 1 "$out")" \
    '{"window_start":0,"window_end":10,"k":"a","n":2,"sum(x)":4,"op":"+"}'
windows --every 10ms --emit changes -o pretty
expect_eq "$(sed -n 2p "$out")" '           0          10  a  2       4  +'

it "--emit every=DUR: what has changed, each DUR of event time"
windows --every 20ms --emit every=5ms --late 20ms
expect_exit 0
expect_out 'window_start,window_end,k,n,sum(x),op
0,20,a,2,4,+
0,20,b,1,2,+
0,20,a,3,9,+
0,20,a,4,18,+
20,40,b,1,1,+'

it "--emit final is the default, without op"
windows --every 20ms --emit final
cp "$out" "$work/final"
windows --every 20ms
expect cmp "$out" "$work/final"

it "--grace: late rows count until it has passed"
windows --every 10ms --grace 5ms
expect_exit 0
expect_no_err
expect_eq "$(sed -n 2p "$out")" "0,10,a,3,13"
windows --every 10ms --grace 2ms
expect_err "1 of 6 rows were late and left out"

# ---- rows too far ahead --------------------------------------------------------------------------

it "--max-ahead: a row further ahead is bad, told with its line, and makes no other late"
printf 't\n1\n2\n4070908800000\n3\n' >"$work/future.csv"
run --time t --time-format ms --times ms --every 10ms --max-ahead 1h "$work/future.csv"
expect_exit 0
expect_out 'window_start,window_end,count
0,10,3'
expect_err "future.csv:4: bad row: time: too far ahead of the rows before it: 4070908800000 ms"
run --time t --time-format ms --every 10ms --max-ahead 1h --strict "$work/future.csv"
expect_exit 3

# ---- late rows -----------------------------------------------------------------------------------

it "--late-to: late rows as they came, header first; the count says where they are"
windows --every 10ms --late-to "$work/late.csv"
expect_exit 0
expect_eq "$(cat "$work/late.csv")" "$(printf 't,k,x\n2,a,9')"
expect_err "1 of 6 rows were late and are in $work/late.csv"

it "--late-to: odd quoting, CRLF, columns that are not used and a missing last line end stay"
printf '"t",k,x\r\n"100","say ""hi"",\n you",1\r\n1,"two\nlines", 7 \r\n"2",  "",8' >"$work/odd.csv"
run --time t --time-format ms --every 10ms --late-to "$work/late.csv" "$work/odd.csv"
expect_exit 0
printf '"t",k,x\n1,"two\nlines", 7 \n"2",  "",8\n' >"$work/wanted"
expect cmp "$work/late.csv" "$work/wanted"

it "--late-to: what it holds can be read again as an input, and completes the windows"
windows --every 10ms --late-to "$work/late.csv"
run --time t --time-format ms --times ms --by k --agg 'n=count,sum(x)' --every 10ms "$work/late.csv"
expect_out 'window_start,window_end,k,n,sum(x)
0,10,a,1,9'

it "--late-to: without late rows there is a header; ndjson has none"
windows --every 10ms --late 1h --late-to "$work/late.csv"
expect_eq "$(cat "$work/late.csv")" "t,k,x"
printf '{"t":100,"k":"a"}\n{"t": 1, "k":"b" }\n' >"$work/rows.ndjson"
run --time t --time-format ms --every 10ms --late-to "$work/late.ndjson" "$work/rows.ndjson"
expect_eq "$(cat "$work/late.ndjson")" '{"t": 1, "k":"b" }'

it "--late-to: rows between windows and bad rows are not late"
printf 't,x\n2,1\n4,1\n9,zz\n11,1\n3,1\n' >"$work/gaps.csv"
run --time t --time-format ms --every 3ms --slide 5ms --agg 'sum(x)' --late-to "$work/late.csv" \
    "$work/gaps.csv"
expect_exit 0
expect_eq "$(cat "$work/late.csv")" "t,x"

it "--late-to: late rows of files with one header; another header is refused"
printf 't,k,x\n1,z,1\n' >"$work/same.csv"
run --time t --time-format ms --every 10ms --late-to "$work/late.csv" "$work/rows.csv" "$work/same.csv"
expect_exit 0
expect_eq "$(cat "$work/late.csv")" "$(printf 't,k,x\n2,a,9\n1,z,1')"
printf 'k,t\nz,1\n' >"$work/other.csv"
run --time t --time-format ms --every 10ms --late-to "$work/late.csv" "$work/rows.csv" "$work/other.csv"
expect_exit 3
expect_err "other.csv: its header is not that of the rows in $work/late.csv before"

it "--late-to: a file that is an input or the output is refused before it is touched"
cp "$work/rows.csv" "$work/rows.as.csv"
mistake "is both input and output" --every 1s --late-to "$work/rows.csv"
expect cmp "$work/rows.csv" "$work/rows.as.csv"
mistake "is both the output and for late rows" --every 1s --out "$work/one" --late-to "$work/one"
run --time t --every 1s --late-to "$work/no/such/folder" "$work/rows.csv"
expect_exit 4
expect_err "cannot write $work/no/such/folder"

it "--late-to: a full disk is exit 4"
if [ -w /dev/full ]; then
    windows --every 10ms --late-to /dev/full
    expect_exit 4
    expect_err "cannot write /dev/full"
else
    skip "there is no /dev/full"
fi

# ---- what is refused -----------------------------------------------------------------------------

it "--session excludes --every, --slide and --offset; one of --every and --session must be there"
mistake "option --session and option --every exclude each other" --session 1s --every 1s
mistake "option --session and option --slide exclude each other" --session 1s --slide 1s
mistake "option --session and option --offset exclude each other" --session 1s --offset 1s
mistake "option --every is missing; write --every DUR, the length of a window, or --session GAP" --slide 1s

it "lengths of 0 and --offset of a slide or more are refused"
mistake "option --slide: a slide must be longer than 0" --every 1s --slide 0
mistake "option --session: a gap must be longer than 0" --session 0s
mistake "option --emit: the time between prints must be longer than 0" --every 1s --emit every=0s
mistake "option --offset: '5s' is not less than --slide '5s'" --every 10s --slide 5s --offset 5s
run --time t --time-format ms --every 5s --slide 10s --offset 7s "$work/rows.csv"
expect_exit 0

it "--max-ahead must be more than --late, --emit one of its values"
mistake "option --max-ahead: '5s' is not more than --late '5s'" --every 1s --late 5s --max-ahead 5s
mistake "option --max-ahead: '0' is not more than --late '0'" --every 1s --max-ahead 0
mistake "option --emit: 'always' is none of its values; write final, changes or every=DUR" \
    --every 1s --emit always
mistake "option --emit:" --every 1s --emit every=10

it "a column called op must be called otherwise where there is one"
mistake "two output columns would be called 'op'; name one in --agg" \
    --every 1s --emit changes --agg 'op=count'
mistake "two output columns would be called 'op'; leave it out of --by" --every 1s --emit changes --by op
run --time t --time-format ms --every 1s --agg 'op=count' "$work/rows.csv"
expect_exit 0

it "a sum of slices that leaves 128 bits is exit 3, with the row or the end that closed the window"
printf 't,x\n1,17e37\n11,1e37\n' >"$work/sums.csv"
run --time t --time-format ms --every 20ms --slide 10ms --agg 'sum(x)' "$work/sums.csv"
expect_exit 3
expect_err "at the end of $work/sums.csv: sum(x): the sum of a window leaves 128 bits"
printf '30,1\n' >>"$work/sums.csv"
run --time t --time-format ms --every 20ms --slide 10ms --agg 'sum(x)' "$work/sums.csv"
expect_exit 3
expect_err "$work/sums.csv:4: sum(x): the sum of a window leaves 128 bits"

# ---- the table of cases --------------------------------------------------------------------------

it "each of the 33 cases of docs/WINDOWS.md has a row there, and tests where the row says"
for n in $(seq 1 33); do
    name=$(printf 'case_%02d_' "$n")
    row=$(grep "^| $n |" "$SOURCE_DIR/docs/WINDOWS.md") || fail "no row $n"
    for file in $(echo "$row" | awk -F '|' '{ print $(NF - 1) }' | tr -d ','); do
        grep -q "T($name" "$SOURCE_DIR/tests/test_$file.c" || fail "$name: none in test_$file.c"
    done
done

# ---- how rows come -------------------------------------------------------------------------------

it "byte by byte through a pipe, and all at once: the same bytes out"
gzip -dc "$quakes" | head -n 2000 >"$work/some.csv"
for options in "--every 1d --slide 7h" "--session 1h --emit changes --grace 9d" \
    "--every 1d --emit every=5h --late 2h" "--every 20h --slide 1h --grace 3d"; do
    # shellcheck disable=SC2086
    run --time time --by net --agg 'count,max(mag),distinct(type),first(place)' $options \
        --late-to "$work/late.a" "$work/some.csv"
    expect_exit 0
    cp "$out" "$work/at_once"
    # shellcheck disable=SC2086
    dd if="$work/some.csv" bs=7 2>/dev/null |
        "$TARN" window -i csv --time time --by net --agg 'count,max(mag),distinct(type),first(place)' \
            $options --late-to "$work/late.b" >"$out" 2>"$err" || fail "exit $?"
    expect cmp "$out" "$work/at_once"
    expect cmp "$work/late.a" "$work/late.b"
done

done_testing
