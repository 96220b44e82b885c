/*
 * stream_tools.c - see stream_tools.h
 */
#include "stream_tools.h"

const char *const tn_stream_kinds[TN_STREAM_KIND_COUNT] = { "window", "hop",     "session",
                                                            "grace",  "changes", "state" };
const char *const tn_stream_formats[TN_STREAM_FORMAT_COUNT] = { "csv", "tsv", "ndjson" };

#define TARN(windows)                                                                              \
    "'%t' window --time time --by user --agg 'count,sum(amount)' --times ms " windows " '%f'"
#define TARN_STATE                                                                                 \
    "rm -rf '%d/state'; " TARN(                                                                    \
        "--every 1h --state '%d/state' --out '%d/state.out'") " && cat '%d/state.out'"

#define SQLITE(query)                                                                              \
    "sqlite3 -batch :memory: 'create table e(time integer, user, amount integer, status, path)' "  \
    "'.mode %m' '.import --skip 1 \"%f\" e' '.mode csv' '" query "'"
#define SQLITE_HOP                                                                                 \
    "select (time / 1200000 - k) * 1200000 as w, user, count(*), sum(amount) from e, (select 0 k " \
    "union all select 1 union all select 2) group by w, user"
#define SQLITE_SESSION                                                                             \
    "with g as (select *, time - lag(time) over (partition by user order by time) as gap from "    \
    "e), "                                                                                         \
    "s as (select *, sum(gap is null or gap > 10000) over (partition by user order by time) as n " \
    "from g) select min(time), user, count(*), sum(amount) from s group by user, n"

#define MLR(chain) "mlr %m --ocsv --headerless-csv-output " chain " '%f'"
#define MLR_STATS " then stats1 -a count,sum -f amount -g w,user"
#define MLR_HOP                                                                                    \
    "put -q 'for (k in [0, 1, 2]) { r = mapexcept($*, \"path\"); "                                 \
    "r[\"w\"] = ($time // 1200000 - k) * 1200000; emit r }'"
#define MLR_SESSION                                                                                \
    "put 'if (is_absent(@last[$user]) || $time - @last[$user] > 10000) { @start[$user] = $time } " \
    "@last[$user] = $time; $w = @start[$user]'"

const struct tn_stream_tool tn_stream_tools[TN_STREAM_TOOL_COUNT] = {
    { "tarn",
      { "", "", "" },
      { TARN("--every 1h"), TARN("--every 1h --slide 20m"), TARN("--session 10s"),
        TARN("--every 1h --grace 1h"), TARN("--every 1h --grace 1h --emit changes"), TARN_STATE } },
    { "sqlite3",
      { "csv", "tabs", NULL },
      { SQLITE("select time / 3600000 * 3600000 as w, user, count(*), sum(amount) from e group by "
               "w, user"),
        SQLITE(SQLITE_HOP), SQLITE(SQLITE_SESSION), NULL, NULL, NULL } },
    { "miller",
      { "--icsv", "--itsv", "--ijsonl" },
      { MLR("put '$w = $time // 3600000 * 3600000'" MLR_STATS), MLR(MLR_HOP MLR_STATS),
        MLR(MLR_SESSION MLR_STATS), NULL, NULL, NULL } },
    { "datamash",
      { "-t ,", "", NULL },
      { "datamash %m --header-in --full bin:3600000 1 <'%f' | datamash %m -s -g 6,2 count 3 sum 3",
        NULL, NULL, NULL, NULL, NULL } },
};
