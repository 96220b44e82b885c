# Input and output formats of `tarn window`: the same rows whatever they come in, exact bytes out.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
. "$SOURCE_DIR/tests/window.sh"

cat >"$work/a.csv" <<'END'
t,who,x,note
1000,ann,1.50,"a, b"
1500,bob,-2,"say ""hi"""
2000,ann,,
2999,"",3,"two
lines"
3000,bob,0.1,c
END
tr '|' '\t' >"$work/a.tsv" <<'END'
t|who|x|note
1000|ann|1.50|a, b
1500|bob|-2|say "hi"
2000|ann||
2999||3|q
3000|bob|0.1|c
END
cat >"$work/a.ndjson" <<'END'
{"t":1000,"who":"ann","x":1.50,"note":"a, b"}
{"note":"say \"hi\"","x":-2,"who":"bob","t":1500}
{"t":2000,"who":"ann","x":null}
{"t":2999,"who":null,"x":"3","note":["two",{"lines":1}]}
{"t":3000,"who":"bob","x":1e-1,"note":"c"}
END
gzip -c "$work/a.csv" >"$work/a.csv.gz"
gzip -c "$work/a.ndjson" >"$work/a.jsonl.gz"
wanted='window_start,window_end,who,n,sum(x)
1000,2000,ann,1,1.5
1000,2000,bob,1,-2
2000,3000,,1,3
2000,3000,ann,1,
3000,4000,bob,1,0.1'

# rows FILE...: the windows of one second, by who.
rows() {
    run --time t --time-format ms --every 1s --by who --agg 'n=count,sum(x)' --times ms "$@"
    expect_exit 0
    expect_no_err
    expect_out "$wanted"
}

it "csv, tsv and ndjson give the same rows"
rows "$work/a.csv"
rows "$work/a.tsv"
rows "$work/a.ndjson"

it "gzip gives the same rows, also under a name that does not say so"
rows "$work/a.csv.gz"
rows "$work/a.jsonl.gz"
cp "$work/a.csv.gz" "$work/plain"
rows -i csv "$work/plain"

it "standard input gives the same rows, plain and gzip, named '-' or not named"
rows -i csv <"$work/a.csv"
rows -i ndjson - <"$work/a.ndjson"
rows -i csv <"$work/a.csv.gz"

it "a pipe that delivers byte by byte gives the same rows"
dd if="$work/a.csv" bs=1 2>/dev/null | {
    run -i csv --time t --time-format ms --every 1s --by who --agg 'n=count,sum(x)' --times ms
    expect_out "$wanted"
    exit $tap_bad
} || fail "rows from dd differ"

it "lines that end in CR LF, and a last line without an end, are lines"
sed 's/$/\r/' "$work/a.tsv" >"$work/crlf.tsv"
rows "$work/crlf.tsv"
printf 't,who,x\n1000,ann,1' >"$work/cut.csv"
run --time t --time-format ms --every 1s --by who --agg 'sum(x)' --times ms "$work/cut.csv"
expect_out 'window_start,window_end,who,sum(x)
1000,2000,ann,1'

it "a byte order mark before the header is not part of the first name"
{ printf '\357\273\277'; cat "$work/a.csv"; } >"$work/bom.csv"
rows "$work/bom.csv"

it "several files are read one after another as one stream"
head -n 3 "$work/a.csv" >"$work/one.csv"
{ echo 'who,t,x'; echo 'ann,2000,'; echo ',2999,3'; echo 'bob,3000,0.1'; } >"$work/two.csv"
rows "$work/one.csv" "$work/two.csv"

it "the order of files is the order of rows: what comes behind the watermark is late"
run --time t --time-format ms --every 1s --times ms "$work/two.csv" "$work/one.csv"
expect_exit 0
expect_err '2 of 5 rows were late'

# ---- output --------------------------------------------------------------------------------------

printf '%s\t%s\t%s\n' t k v 0 a,b 1 0 'a"b' -0.50 0 plain '' 0 'back\slash' 7 0 "$(printf 'cr\rcr')" 8 \
    >"$work/odd.tsv"
odd() {
    run --time t --time-format ms --every 1s --by k --agg 'sum(v),last(v)' "$@" "$work/odd.tsv"
    expect_exit 0
}

it "csv out quotes commas, quotes and line ends, doubles quotes, ends lines with LF"
odd -o csv
expect_out "window_start,window_end,k,sum(v),last(v)
1970-01-01T00:00:00.000Z,1970-01-01T00:00:01.000Z,\"a\"\"b\",-0.5,-0.50
1970-01-01T00:00:00.000Z,1970-01-01T00:00:01.000Z,\"a,b\",1,1
1970-01-01T00:00:00.000Z,1970-01-01T00:00:01.000Z,back\\slash,7,7
1970-01-01T00:00:00.000Z,1970-01-01T00:00:01.000Z,\"$(printf 'cr\rcr')\",8,8
1970-01-01T00:00:00.000Z,1970-01-01T00:00:01.000Z,plain,,"

it "csv is the default"
cp "$out" "$work/default"
odd
expect cmp "$out" "$work/default"

it "tsv out escapes tab, line ends and backslash"
odd -o tsv --times ms
expect_out "$(printf 'window_start\twindow_end\tk\tsum(v)\tlast(v)\n')
$(printf '0\t1000\ta"b\t-0.5\t-0.50\n')
$(printf '0\t1000\ta,b\t1\t1\n')
$(printf '0\t1000\tback\\\\slash\t7\t7\n')
$(printf '0\t1000\tcr\\rcr\t8\t8\n')
$(printf '0\t1000\tplain\t\t\n')"
printf '{"t":0,"k":"tab\\tlf\\nend"}\n' >"$work/escape.ndjson"
run --time t --time-format ms --every 1s --by k -o tsv --times ms "$work/escape.ndjson"
expect_out "$(printf 'window_start\twindow_end\tk\tcount\n')
$(printf '0\t1000\ttab\\tlf\\nend\t1\n')"

it "ndjson out: numbers are numbers, texts are strings, empty is null"
odd -o ndjson --times ms
expect_out '{"window_start":0,"window_end":1000,"k":"a\"b","sum(v)":-0.5,"last(v)":"-0.50"}
{"window_start":0,"window_end":1000,"k":"a,b","sum(v)":1,"last(v)":"1"}
{"window_start":0,"window_end":1000,"k":"back\\slash","sum(v)":7,"last(v)":"7"}
{"window_start":0,"window_end":1000,"k":"cr\rcr","sum(v)":8,"last(v)":"8"}
{"window_start":0,"window_end":1000,"k":"plain","sum(v)":null,"last(v)":null}'

it "ndjson out: an empty key is null, a time is a string"
run --time t --time-format ms --every 1s --by who -o ndjson "$work/a.ndjson"
expect_eq "$(sed -n 3p "$out")" \
    '{"window_start":"1970-01-01T00:00:02.000Z","window_end":"1970-01-01T00:00:03.000Z",'\
'"who":null,"count":1}'

it "ndjson out: control characters are escaped, bytes that are no UTF-8 become their character"
printf 't,k\n0,a\001\177b\n0,caf\351\n0,caf\303\251\n0,\355\240\200\n0,\360\237\230\200\n' >"$work/bytes.csv"
run --time t --time-format ms --every 1s --by k -o ndjson --times ms "$work/bytes.csv"
expect_exit 0
expect_out "$(printf '{"window_start":0,"window_end":1000,"k":"a\\u0001\177b","count":1}\n')
$(printf '{"window_start":0,"window_end":1000,"k":"caf\303\251","count":1}\n')
$(printf '{"window_start":0,"window_end":1000,"k":"caf\\u00e9","count":1}\n')
$(printf '{"window_start":0,"window_end":1000,"k":"\\u00ed\\u00a0\\u0080","count":1}\n')
$(printf '{"window_start":0,"window_end":1000,"k":"\360\237\230\200","count":1}\n')"

it "csv out keeps every byte as it came"
run --time t --time-format ms --every 1s --by k --times ms "$work/bytes.csv"
printf '0,1000,caf\351,1\n' >"$work/line"
expect_eq "$(sed -n 4p "$out" | od -An -c)" "$(od -An -c <"$work/line")"

it "what is written as ndjson can be read again"
run --time t --time-format ms --every 1s --by k -o ndjson "$work/odd.tsv"
cp "$out" "$work/again.ndjson"
run --time window_start --every 1d --agg 'n=sum(count)' --times ms "$work/again.ndjson"
expect_out 'window_start,window_end,n
0,86400000,5'

it "pretty out: columns line up, numbers to the right"
run --time t --time-format ms --every 1s --by who --agg 'n=count,sum(x),last(x)' --times ms \
    -o pretty "$work/a.csv"
expect_out 'window_start  window_end  who  n  sum(x)  last(x)
        1000        2000  ann  1     1.5  1.50
        1000        2000  bob  1      -2  -2
        2000        3000       1       3  3
        2000        3000  ann  1
        3000        4000  bob  1     0.1  0.1'

it "pretty out: nothing steers the terminal, a character is one cell"
printf 't,k\n0,\033[31mred\n0,\303\251\303\251\n0,\302\233\n' >"$work/steer.csv"
run --time t --time-format ms --every 1s --by k --times ms -o pretty "$work/steer.csv"
expect_out "$(printf 'window_start  window_end  k            count\n')
$(printf '           0        1000  \\x1b[31mred      1\n')
$(printf '           0        1000  \\xc2\\x9b         1\n')
$(printf '           0        1000  \303\251\303\251               1\n')"

it "no row in: a header in csv, tsv and pretty, nothing in ndjson"
echo 't,k' >"$work/none.csv"
for format in csv tsv pretty; do
    run --time t --every 1s -o "$format" "$work/none.csv"
    expect_exit 0
    expect_eq "$(wc -l <"$out" | tr -d ' ')" 1
done
run --time t --every 1s -o ndjson "$work/none.csv"
expect_exit 0
expect_no_out

it "--out writes the same bytes to a file, and replaces what was there"
head -c 10000 "$wikipedia" >"$work/file"
run --time t --time-format ms --every 1s --by who --agg 'n=count,sum(x)' --times ms \
    --out "$work/file" "$work/a.csv"
expect_exit 0
expect_no_out
expect_eq "$(cat "$work/file")" "$wanted"

it "300,000 rows of output through a pipe are 300,000 lines"
awk 'BEGIN { print "t"; for (i = 0; i < 300000; i++) print i }' >"$work/many.csv"
"$TARN" window --time t --time-format ms --every 1ms --times ms "$work/many.csv" | cat >"$work/piped"
expect_eq "$(wc -l <"$work/piped" | tr -d ' ')" 300001
expect_eq "$(tail -n 1 "$work/piped")" "299999,300000,1"

done_testing
