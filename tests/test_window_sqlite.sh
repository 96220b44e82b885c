# Windows by SQLite, in plain SQL over all rows at once, and by `tarn window`: the same text, on the
# data shipped with the project.
# shellcheck shell=sh disable=SC1091,SC2154
. "$SOURCE_DIR/tests/tap.sh"
command -v sqlite3 >/dev/null 2>&1 || skip_all "sqlite3 is not here"
. "$SOURCE_DIR/tests/window.sh"

database=$work/events.db
gzip -dc "$wikipedia" >"$work/wikipedia.ndjson"
gzip -dc "$quakes" >"$work/quakes.csv"

# JSON has no raw control characters, so a line is one field of 'ascii' mode.
sqlite3 "$database" >"$work/import" 2>&1 <<SQL
create table lines(line text);
.mode ascii
.separator "\001" "\n"
.import $work/wikipedia.ndjson lines
.mode csv
.import $work/quakes.csv quakes_text
create table edits as
    select cast(strftime('%s', json_extract(line, '\$.time')) as int) * 1000
               + cast(substr(json_extract(line, '\$.time'), 21, 3) as int) as t,
           json_extract(line, '\$.channel') as channel,
           json_extract(line, '\$.user') as user,
           json_extract(line, '\$.added') as added,
           json_extract(line, '\$.delta') as delta
    from lines;
create table quakes as
    select cast(strftime('%s', time) as int) * 1000 + cast(substr(time, 21, 3) as int) as t,
           net, type, nullif(magType, '') as scale
    from quakes_text;
create table hops(k integer);
insert into hops with recursive n(k) as (select 0 union all select k + 1 from n where k < 200)
    select k from n;
SQL

# agree SQL OPTION...: both give the same rows, in the same order.
agree() {
    sql=$1
    shift
    sqlite3 -noheader -separator "$(printf '\t')" "$database" "$sql" >"$work/sqlite" 2>"$work/import" ||
        fail "sqlite3: $(cat "$work/import")"
    run --times ms -o tsv "$@"
    expect_exit 0
    expect_no_err
    tail -n +2 "$out" >"$work/tarn"
    [ -s "$work/sqlite" ] || fail "sqlite3 gives no rows"
    cmp -s "$work/sqlite" "$work/tarn" || fail "they differ:
$(diff "$work/sqlite" "$work/tarn" | head -n 10)"
}

# windows TABLE SIZE SLIDE KEY AGGREGATES: SQL for windows by the clock, [start, start + SIZE).
windows() {
    echo "select s, s + $2, $4, $5 from (
              select (t / $3 - k) * $3 as s, * from $1, hops where k <= $2 / $3)
          where s <= t and t < s + $2
          group by s, $4 order by s + $2, $4"
}

# sessions TABLE GAP KEY AGGREGATES: a session begins where the one before is further than the gap.
sessions() {
    echo "with marked as (
              select *, t - lag(t) over (partition by $3 order by t) as d from $1),
          numbered as (
              select *, sum(d is null or d > $2) over (partition by $3 order by t) as n from marked)
          select min(t), max(t) + $2, replace($3, char(92), char(92, 92)), $4 from numbered
          group by $3, n order by max(t) + $2, $3"
}

edits_sql='count(*), sum(added), min(delta), max(delta), count(distinct user)'
edits_agg='count,sum(added),min(delta),max(delta),distinct(user)'

# edits SIZE SLIDE: hopping windows of so many minutes over the edits of a day, by channel.
edits() {
    agree "$(windows edits $(($1 * 60000)) $(($2 * 60000)) channel "$edits_sql")" \
        --time time --by channel --agg "$edits_agg" --every "$1m" --slide "$2m" "$wikipedia"
}

it "the rows are all there"
expect_eq "$(sqlite3 "$database" 'select count(*) from edits; select count(*) from quakes')" \
    "$(printf '39244\n96125')"

it "Wikipedia: tumbling hours by channel"
edits 60 60

it "Wikipedia: an hour by ten minutes"
edits 60 10

it "Wikipedia: a length that the slide does not divide"
edits 25 10
edits 7 3

it "Wikipedia: a day by ten minutes, 144 slices a window"
edits 1440 10

it "Wikipedia: sampling, three minutes of every ten"
edits 3 10

it "Wikipedia: sessions by user, of a minute and of half an hour"
for gap in 60 1800; do
    agree "$(sessions edits $((gap * 1000)) user "count(*), sum(added), count(distinct channel)")" \
        --time time --by user --session "${gap}s" --agg 'count,sum(added),distinct(channel)' \
        "$wikipedia"
done

it "Wikipedia: as many sessions as data/README.md says"
run --time time --by user --session 60s -o tsv "$wikipedia"
expect_eq "$(($(wc -l <"$out") - 1))" 25437
run --time time --by user --session 30m -o tsv "$wikipedia"
expect_eq "$(($(wc -l <"$out") - 1))" 16097

it "USGS, far out of order: days by type"
agree "$(windows quakes 86400000 86400000 type 'count(*), count(distinct net), count(scale)')" \
    --time time --by type --late 4000d --every 1d --agg 'count,distinct(net),count(magType)' "$quakes"

it "USGS, far out of order: a week by a day"
agree "$(windows quakes 604800000 86400000 type 'count(*), count(distinct net), count(scale)')" \
    --time time --by type --late 4000d --every 7d --slide 1d \
    --agg 'count,distinct(net),count(magType)' "$quakes"

it "USGS, far out of order: sessions of an hour by network"
agree "$(sessions quakes 3600000 net 'count(*), count(distinct type)')" \
    --time time --by net --late 4000d --session 1h --agg 'count,distinct(type)' "$quakes"

it "USGS: what grace brings is what a later watermark brings"
run --time time --by type --every 1d --late 4000d -o tsv "$quakes"
cp "$out" "$work/late.tsv"
run --time time --by type --every 1d --grace 4000d -o tsv "$quakes"
expect_exit 0
expect cmp "$out" "$work/late.tsv"

it "USGS: with changes the last row of each window and group is the final one"
run --time time --by type --every 1d --grace 4000d --emit changes -o tsv "$quakes"
expect_exit 0
tail -n +2 "$out" | awk -F '\t' '{ last[$1 "\t" $2 "\t" $3] = $0 } END { for (w in last) print last[w] }' |
    sed 's/\t+$//' | LC_ALL=C sort >"$work/changes.tsv"
tail -n +2 "$work/late.tsv" | LC_ALL=C sort >"$work/late.sorted.tsv"
expect cmp "$work/changes.tsv" "$work/late.sorted.tsv"

it "USGS: so it is with every=1d, and sessions that are taken back"
run --time time --by net --session 1h --late 4000d -o tsv "$quakes"
tail -n +2 "$out" | LC_ALL=C sort >"$work/sessions.tsv"
for mode in changes every=1d; do
    run --time time --by net --session 1h --grace 4000d --emit "$mode" -o tsv "$quakes"
    expect_exit 0
    tail -n +2 "$out" | awk -F '\t' '{
            window = $1 "\t" $2 "\t" $3
            if ($NF == "-") delete last[window]; else last[window] = $0
        } END { for (w in last) print last[w] }' | sed 's/\t+$//' | LC_ALL=C sort >"$work/replayed.tsv"
    expect cmp "$work/replayed.tsv" "$work/sessions.tsv"
done

done_testing
