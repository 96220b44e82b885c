# `tarn window --merge`: several sources, each with its own watermark.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
. "$SOURCE_DIR/tests/window.sh"

# small NAME ROW...: a table with columns t (ms) and k.
small() {
    file=$work/$1
    shift
    {
        echo "t,k"
        printf '%s\n' "$@"
    } >"$file"
}

small a.csv 1000,a 2500,a 9000,a
small b.csv 1000,b 1700,b 2600,b 4100,b

it "rows of several files are merged by time: none is late"
run --time t --time-format ms --every 1s --times ms --merge "$work/a.csv" "$work/b.csv"
expect_exit 0
expect_no_err
expect_out 'window_start,window_end,count
1000,2000,3
2000,3000,2
4000,5000,1
9000,10000,1'

it "without --merge they are one stream, and what the second file begins with is late"
run --time t --time-format ms --every 1s --times ms "$work/a.csv" "$work/b.csv"
expect_exit 0
expect_err '4 of 7 rows were late'

it "equal times come in the order of the command line"
run --time t --time-format ms --every 1s --times ms --agg 'first(k),last(k)' --merge "$work/a.csv" \
    "$work/b.csv"
expect_eq "$(sed -n 2p "$out")" "1000,2000,a,b"
small a1.csv 1000,a
small b1.csv 1000,b
for order in "a b" "b a"; do
    # shellcheck disable=SC2086
    set -- $order
    run --time t --time-format ms --every 1s --times ms --agg 'first(k),last(k)' --merge \
        "$work/${1}1.csv" "$work/${2}1.csv"
    expect_eq "$(sed -n 2p "$out")" "1000,2000,$1,$2"
done

it "case 16: the slowest source holds the watermark, a source that has ended does not"
mkfifo "$work/slow"
"$TARN" window --time t --time-format ms --every 1s --times ms -i csv --merge "$work/a.csv" \
    "$work/slow" >"$out" 2>"$err" &
process=$!
exec 3>"$work/slow"
printf 't,k\n1200,c\n' >&3
sleep 0.3
expect_out ''
printf '2100,c\n' >&3
until_true grep -q '^1000,2000,2$' "$out" || fail "not printed when the slowest had passed it"
printf '20000,c\n' >&3
until_true grep -q '^9000,10000,1$' "$out" || fail "the source that has ended holds the others"
exec 3>&-
status=0
wait "$process" || status=$?
expect_exit 0
expect_out 'window_start,window_end,count
1000,2000,2
2000,3000,2
9000,10000,1
20000,21000,1'

it "a bad row is told with its own file and line, also when it ends the run"
small bad.csv 1000,a x,a 3000,a
run --time t --time-format ms --every 1s --times ms --merge "$work/b.csv" "$work/bad.csv"
expect_exit 0
expect_err "$work/bad.csv:3: bad row"
run --time t --time-format ms --every 1s --merge --strict "$work/b.csv" "$work/bad.csv"
expect_exit 3
expect_err "$work/bad.csv:3: bad row"

it "a source that fails ends the run with its name; open windows are not printed"
gzip -c "$work/b.csv" | head -c 30 >"$work/cut.csv.gz"
run --time t --time-format ms --every 1s --times ms --merge "$work/a.csv" "$work/cut.csv.gz"
expect_exit 4
expect_err "$work/cut.csv.gz: is cut short"
refuse grep -q '^9000' "$out"

it "a source that cannot be opened is refused before anything is written"
small other.csv
sed -i 's/^t/time/' "$work/other.csv"
run --time t --every 1s --merge "$work/a.csv" "$work/other.csv"
expect_exit 3
expect_err 'there is no column "t"'
expect_no_out

it "formats and packing may differ from source to source; one source merged is as one alone"
printf '{"t":1500,"k":"c"}\n' | gzip -c >"$work/c.ndjson.gz"
printf 'k\tt\nd\t2999\n' >"$work/d.tsv"
run --time t --time-format ms --every 1s --times ms --merge "$work/a.csv" "$work/c.ndjson.gz" \
    "$work/d.tsv"
expect_out 'window_start,window_end,count
1000,2000,2
2000,3000,2
9000,10000,1'
run --time t --time-format ms --every 1s --times ms "$work/b.csv"
mv "$out" "$work/alone"
run --time t --time-format ms --every 1s --times ms --merge "$work/b.csv"
expect_out "$(cat "$work/alone")"

it "standard input can be one of several, once"
status=0
"$TARN" window --time t --time-format ms --every 1s --times ms -i csv --merge - "$work/a.csv" \
    <"$work/b.csv" >"$out" 2>"$err" || status=$?
expect_exit 0
expect_eq "$(sed -n 2p "$out")" "1000,2000,3"
run --time t --every 1s -i csv --merge - - </dev/null
expect_exit 2
expect_err 'standard input is named 2 times'

# split FILE: its rows by a hash of the line into $work/split.{0,1,2,3}.$2, header first where csv.
split() {
    gzip -dc "$1" | awk -v dir="$work" -v ext="$2" '
        BEGIN { for (i = 32; i < 127; i++) code[sprintf("%c", i)] = i }
        ext == "csv" && NR == 1 { for (i = 0; i < 4; i++) print > (dir "/split." i "." ext); next }
        {
            n = NR * 7
            for (i = 1; i <= length($0); i += 11)
                n = (n * 31 + code[substr($0, i, 1)]) % 65521
            print > (dir "/split." (n % 4) "." ext)
        }'
}

it "one source and four merged give the same bytes: edits in order of time"
split "$wikipedia" ndjson
run --time time --every 1h --by channel --agg 'count,sum(added),distinct(user),min(delta),avg(added)' \
    "$wikipedia"
expect_exit 0
mv "$out" "$work/alone"
run --time time --every 1h --by channel --agg 'count,sum(added),distinct(user),min(delta),avg(added)' \
    --merge "$work"/split.[0-3].ndjson
expect_exit 0
expect_no_err
expect cmp "$work/alone" "$out"

it "one source and four merged give the same bytes: quakes out of order, with a bound that covers it"
split "$quakes" csv
run --time time --every 1d --by type --agg 'count,max(mag),avg(mag)' --late 3650d "$quakes"
expect_exit 0
mv "$out" "$work/alone"
run --time time --every 1d --by type --agg 'count,max(mag),avg(mag)' --late 3650d --merge \
    "$work"/split.[0-3].csv
expect_exit 0
expect_no_err
expect cmp "$work/alone" "$out"

it "sessions and windows that slide, merged, give the bytes of the whole, in every mode"
split "$wikipedia" ndjson
for kind in "--session 30m" "--every 1h --slide 20m" "--every 2h --emit every=30m"; do
    # shellcheck disable=SC2086
    run --time time $kind --by channel --agg 'count,sum(added),distinct(user)' "$wikipedia"
    expect_exit 0
    mv "$out" "$work/alone"
    # shellcheck disable=SC2086
    run --time time $kind --by channel --agg 'count,sum(added),distinct(user)' --merge \
        "$work"/split.[0-3].ndjson
    expect_exit 0
    expect_no_err
    [ "${kind#*every=}" != "$kind" ] || expect cmp "$work/alone" "$out"
    # what each print of 'every' holds depends on the order of rows; what stands last does not
    sort_last() {
        awk -F , 'NR > 1 { last[$1 "," $2 "," $3] = $0 } END { for (key in last) print last[key] }' "$1" | sort
    }
    sort_last "$work/alone" >"$work/alone.last"
    sort_last "$out" >"$work/merged.last"
    expect cmp "$work/alone.last" "$work/merged.last"
done

it "merged twice, the same bytes come, also where rows are late"
run --time time --every 1d --by type --late 1d --agg 'n=count,first(place),last(place)' --merge \
    "$work"/split.[0-3].csv
expect_exit 0
mv "$out" "$work/once"
for file in 0 1 2 3; do # through pipes, in pieces of any size
    rm -f "$work/pipe.$file"
    mkfifo "$work/pipe.$file"
    dd bs=$((1000 + file * 777)) <"$work/split.$file.csv" >"$work/pipe.$file" 2>/dev/null &
done
run -i csv --time time --every 1d --by type --late 1d --agg 'n=count,first(place),last(place)' --merge \
    "$work"/pipe.[0-3]
expect_exit 0
expect cmp "$work/once" "$out"
wait

done_testing
