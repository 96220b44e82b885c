# tarn bench store: what it prints, what it refuses, and how it ends. Never how long anything takes.
#
# shellcheck shell=sh disable=SC1091
. "$SOURCE_DIR/tests/tap.sh"

[ -x "$TARN" ] || skip_all "there is no command to run"
command -v python3 >/dev/null 2>&1 || skip_all "python3 is not here to read JSON with"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# run ARGUMENTS...: output in $work/out, messages in $work/err, exit code in $code.
run() {
    "$TARN" bench "$@" >"$work/out" 2>"$work/err"
    code=$?
}

# expect_code WANTED
expect_code() {
    [ "$code" -eq "$1" ] || fail "exit code $code, not $1; stderr: $(cat "$work/err")"
}

# ask PYTHON: over the rows of the last run, as 'rows'; what it prints is the answer.
ask() {
    python3 -c "
import json, sys
rows = [json.loads(line) for line in open('$work/out')]
$1"
}

left_behind() {
    ls /dev/shm "${TMPDIR:-/tmp}" 2>/dev/null | grep -c tarn-bench
}

# Replacements are many by default, which is for figures and not for tests.
run_short() {
    run "$@" --replacements 2000
}

run_short store --keys 1000 --repeats 1 --json --stores tarn,tarn_unordered

it "a run ends with 0 and prints JSON lines with all fields"
expect_code 0
expect_eq "$(ask '
wanted = ["suite", "op", "store", "entries", "key_bytes", "value_bytes", "median", "min", "max",
          "unit"]
print(len(rows) > 0, {key in row for row in rows for key in wanted},
      {(row["suite"], row["entries"], row["key_bytes"], row["value_bytes"]) for row in rows})')" \
    "True {True} {('store', 1000, 8, 128)}"

it "both kinds of table have a row for each operation, scans apart"
expect_eq "$(ask '
ops = """get_random get_sequential get_zipf get_many_32 contains_hit contains_miss modify
    put_overwrite put_new_sequential put_new_random delete reinsert full_scan memory
    memory_shuffled full_scan_shuffled replace memory_after_churn get_after_churn snapshot_take
    snapshot_restore snapshot_export snapshot_import""".split()
scans = "scan_1000 scan_10 scan_1000_shuffled scan_10_shuffled".split()
seen = {(row["store"], row["op"]) for row in rows}
print(sorted([("tarn", op) for op in ops + scans if ("tarn", op) not in seen] +
             [("tarn_unordered", op) for op in ops if ("tarn_unordered", op) not in seen]))')" "[]"

it "every store that --list names has its rows, and those not built in are named"
run store --list
sed -n 's/^  \([a-z][a-z_]*\)  .*/\1/p' "$work/out" | sort >"$work/listed"
grep 'not built in' "$work/out" >"$work/missing"
# Some of the operations: RocksDB needs seconds for each.
some=memory,put_new_random,get_random,scan_10,modify,delete,reinsert,memory_after_churn
run_short store --keys 100 --repeats 1 --json --ops "$some"
ask 'print("\n".join(sorted({row["store"] for row in rows})))' >"$work/seen"
expect_eq "$(cat "$work/seen")" "$(cat "$work/listed")"
while read -r line; do
    grep -qF "$line" "$work/err" || fail "not said: $line"
done <"$work/missing"

it "a median lies between min and max, and reads in tarn allocate nothing"
expect_eq "$(ask '
print({row["min"] <= row["median"] <= row["max"] for row in rows},
      {row["allocations"] for row in rows if row["store"].startswith("tarn") and
       row["op"].split("_")[0] in ("get", "contains", "modify", "scan")})')" "{True} {0}"

it "sizes from one entry on give the same rows"
quick=$(grep -vx rocksdb "$work/listed" | tr '\n' ',')
run_short store --keys 1,2,3,11 --repeats 1 --json --stores "${quick%,}"
expect_code 0
expect_eq "$(ask '
sizes = {}
for row in rows: sizes.setdefault(row["entries"], set()).add((row["store"], row["op"]))
print(sorted(sizes), len({frozenset(ops) for ops in sizes.values()}))')" "[1, 2, 3, 11] 1"

it "keys may be URLs, and values of other sizes; the same rows, and the contents are right"
run_short store --keys 1200 --repeats 1 --json --ops "$some" --stores "${quick%,}"
wanted=$(ask 'print(sorted({(row["store"], row["op"]) for row in rows}))')
for shape in "url 128 60" "url 32 60" "counter 32 8" "counter 256 8"; do
    stores=${quick%,} # the hand-written rivals are not compiled for URLs with 32 bytes
    [ "$shape" = "url 32 60" ] && stores=$(echo "$stores" | sed 's/arena,//; s/absl_btree,//')
    # shellcheck disable=SC2086
    set -- $shape
    run_short store --keys 1200 --repeats 1 --json --ops "$some" --key-kind "$1" --value-bytes "$2" \
        --stores "$stores"
    expect_code 0
    expect_eq "$(ask 'print({(row["key_bytes"], row["value_bytes"]) for row in rows})')" "{($3, $2)}"
    [ "$shape" = "url 32 60" ] ||
        expect_eq "$(ask 'print(sorted({(row["store"], row["op"]) for row in rows}))')" "$wanted"
done

it "RocksDB, too, takes URLs and values of other sizes"
if grep -qx rocksdb "$work/listed"; then
    run_short store --keys 100 --repeats 1 --json --ops scan_10,modify --stores rocksdb \
        --key-kind url --value-bytes 256
    expect_code 0
    expect_eq "$(ask 'print([row["op"] for row in rows])')" "['scan_10', 'modify']"
else
    skip "it is not built in"
fi

it "so many replacements are made as asked for, and twice the entries at least"
run store --keys 1000 --repeats 2 --ops replace,memory_after_churn --stores tarn --json \
    --replacements 30001
expect_eq "$(ask 'print([(row["op"], row["repeats"] * row["operations"]) for row in rows])')" \
    "[('replace', 30002), ('memory_after_churn', 1)]"
run store --keys 1000 --repeats 2 --ops replace --stores tarn --json --replacements 1
expect_eq "$(ask 'print([row["repeats"] * row["operations"] for row in rows])')" "[2000]"

it "--ops and --stores narrow the run"
run store --keys 100 --repeats 2 --ops get_zipf,delete --stores tarn_unordered,tarn --json
expect_code 0
expect_eq "$(ask 'print([(row["op"], row["store"], row["repeats"]) for row in rows])')" \
    "[('get_zipf', 'tarn', 2), ('get_zipf', 'tarn_unordered', 2), ('delete', 'tarn', 2), \
('delete', 'tarn_unordered', 2)]"

it "--latency adds percentiles that do not fall, and the longest put of each load"
run store --keys 1000 --repeats 2 --stores tarn --latency --json --replacements 1
expect_code 0
expect_eq "$(ask '
taken = [row for row in rows if row["op"].endswith("_latency")]
print(sorted(row["op"][:-8] for row in taken),
      {row["min"] <= row["median"] <= row["p99"] <= row["p99_9"] <= row["p99_99"]
       <= row["max"] for row in taken})')" "['delete', 'get_random', 'modify', 'put_new_random', \
'put_new_sequential', 'put_overwrite', 'reinsert'] {True}"
expect_eq "$(ask '
rows = {row["op"]: row for row in rows}
longest = rows["put_new_random_longest"]
print(longest["unit"], longest["repeats"], 1000 <= longest["operations"] <= 200000,
      abs(rows["put_new_random_latency"]["max"] / 1000 - longest["max"]) < 0.01)')" "us 2 True True"

it "--report writes one page that needs nothing else, with every row's store and operation"
run store --keys 100,200 --repeats 1 --report "$work/page.html" --json --stores "${quick%,}" --replacements 1
expect_code 0
expect_eq "$(python3 - "$work/page.html" "$work/out" <<'END'
import html.parser, json, sys

class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.links, self.text = [], [], [], []
    def handle_starttag(self, tag, attributes):
        if tag != "meta":
            self.open.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)
    def handle_data(self, data):
        self.text.append(data.strip())

text = open(sys.argv[1]).read()
page = Page()
page.feed(text)
rows = [json.loads(line) for line in open(sys.argv[2])]
print(page.open, page.wrong, page.links, "url(" in text, "@import" in text, "<script" in text)
print({row["op"] for row in rows} - set(page.text), {row["store"] for row in rows} - set(page.text))
print(text.count('<td class="bar">') == len(rows), text.count("<h2>"))
END
)" "[] [] [] False False False
set() set()
True 3"

it "a report that cannot be written is refused before anything is measured"
run store --keys 100 --report "$work/no/such/page.html"
expect_code 4
grep -q 'no/such/page.html' "$work/err" || fail "it says: $(cat "$work/err")"
[ -s "$work/out" ] && fail "it measured all the same"

it "a report that does not fit ends it with 4"
if [ -w /dev/full ]; then
    run store --keys 100 --repeats 1 --ops memory --report /dev/full
    expect_code 4
    grep -q '/dev/full' "$work/err" || fail "it says: $(cat "$work/err")"
else
    skip "no /dev/full here"
fi

it "without --json it prints a table with the ratio to tarn"
run store --keys 100 --repeats 1 --ops get_random --stores tarn,tarn_unordered
expect_code 0
expect_eq "$(awk '$1 == "get_random" { print $2 }
    $1 == "tarn_unordered" { print NF }' "$work/out")" \
    "tarn
8"

it "what it cannot understand is refused with 2 and a reason"
for arguments in "" "store extra" "scale" "store --keys" "store --keys 0" "store --keys -1" \
    "store --keys 1,,2" "store --keys 1x" "store --keys 2G" "store --keys 99999999999999999999" \
    "store --keys 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17" "store --repeats 0" \
    "store --repeats 101" "store --repeats 2x" "store --ops none" "store --ops get_random," \
    "store --stores none" "store --key-kind urls" "store --value-bytes 64" "store --value-bytes" \
    "store --replacements 0" "store --replacements 2G" "store --report" "store --nonsense" "store --json=1" \
    "store --keys 1 --keys 2"; do
    # shellcheck disable=SC2086
    run $arguments
    expect_code 2
    [ -s "$work/err" ] || fail "no reason given: $arguments"
    [ -s "$work/out" ] && fail "output although refused: $arguments"
done

it "an unknown suite's message says which there are"
run scale
grep -q 'there are: store, durable, stream' "$work/err" || fail "it says: $(cat "$work/err")"

it "more entries than memory is refused, not tried"
if [ "$(awk '/MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo 2>/dev/null || echo 999)" \
    -lt 200 ]; then
    run store --keys 1G --repeats 1
    expect_code 4
else
    skip "there is more memory here than a thousand million entries need"
fi

it "output that cannot be written ends it with 4"
if [ -w /dev/full ]; then
    "$TARN" bench store --keys 100 --repeats 1 --replacements 1 >/dev/full 2>"$work/err"
    code=$?
    expect_code 4
    grep -q 'standard output' "$work/err" || fail "it says: $(cat "$work/err")"
else
    skip "no /dev/full here"
fi

it "SIGTERM ends it with 143, whole lines and nothing left behind"
left_behind >"$work/before"
"$TARN" bench store --keys 1M --repeats 100 --json --replacements 1 >"$work/out" 2>"$work/err" &
pid=$!
sleep 1
kill -TERM "$pid"
wait "$pid"
code=$?
expect_code 143
expect ask 'pass'
expect_eq "$(left_behind)" "$(cat "$work/before")"

it "the table has for each size reach, aim, the best rival and the ratio"
cat >"$work/results" <<'END'
{"suite":"store","op":"get_random","store":"tarn","entries":1000,"key_bytes":8,"value_bytes":128,"median":9,"min":8,"max":12,"unit":"ns","page_faults":0,"allocations":0}
{"suite":"store","op":"get_random","store":"arena","entries":1000,"key_bytes":8,"value_bytes":128,"median":4.5,"min":4,"max":5,"unit":"ns","page_faults":0,"allocations":0}
{"suite":"store","op":"get_random","store":"lmdb","entries":1000,"key_bytes":8,"value_bytes":128,"median":200,"min":190,"max":210,"unit":"ns","page_faults":0}
{"suite":"store","op":"get_random","store":"tarn","entries":1000000,"key_bytes":8,"value_bytes":128,"median":50,"min":50,"max":50,"unit":"ns","page_faults":0,"allocations":0}
{"suite":"store","op":"get_random","store":"tarn","entries":1000000,"key_bytes":60,"value_bytes":128,"median":100,"min":100,"max":100,"unit":"ns","page_faults":0,"allocations":0}
END
expect_eq "$("$SOURCE_DIR/scripts/bench_table" "$work/results" | grep '^| get_random |')" \
    "| get_random | 6 | 4 | 9.00 ns (8.00 to 12.0) | arena 4.50 | 0.50 | arena 0.62: 0.50 |
| get_random |  |  | 50.0 ns |  |  |  |
| get_random | 2.7x = 135 |  | 100 ns |  |  |  |"

it "the table refuses what is no result, with the line"
echo '{"suite":"store"}' >>"$work/results"
refuse "$SOURCE_DIR/scripts/bench_table" "$work/results"
case $tap_output in *"results:6: "*) ;; *) fail "it says: $tap_output" ;; esac

it "every target is of an operation there is"
"$TARN" bench store --list | sed -n 's/^Operations: //p' | tr ' ' '\n' | sort >"$work/ops"
sed -e '/^#/d' -e 's/[:\t].*//' -e 's/_latency$//' -e 's/_longest$//' "$SOURCE_DIR/bench/targets.tsv" |
    sed 1d | sort -u >"$work/aimed"
expect_eq "$(comm -13 "$work/ops" "$work/aimed")" ""

done_testing
