/*
 * merge.c - values changed by an operand: add, min, max, append
 *
 *     entry   find -> its 8 bytes -> a new number, or a refusal -> in place
 *     absent  find -> the operand                               -> insert
 *
 * Numbers lie in the record as 8 little-endian bytes, whatever the machine.
 *
 * Rules
 *   G1  The new number is known before anything is changed, so a refusal changes nothing.
 *   G2  A merge that leaves the number as it is writes nothing: it is no change for a commit.
 *   G3  No merge reads or makes a NaN, and -0.0 is below 0.0: the order of merges does not show.
 *   G4  A value that outgrows its slot gets one with room for half as much again, so appending n
 *       bytes a few at a time copies fewer than 3 n. Without memory for that it gets one that just
 *       fits.
 */
#include "store/typed.h"
#include "store/relocate.h"
#include "store/write.h"

#define NUMBER_BYTES sizeof(uint64_t)

/* ---- numbers --------------------------------------------------------------------------------- */

struct merge {
    tarn_table *table;
    const char *call;
    const void *key;
    size_t key_bytes;
    struct tn_lookup lookup;
    uint64_t bits; /* of the entry's number; 0 when absent */
};

static __attribute__((noinline)) int merge_misuse(const struct merge *m, int type)
{
    size_t value_bytes = NUMBER_BYTES;

    if (!tn_table_call_ok(m->table, m->key, m->key_bytes))
        return tn_table_misuse(m->table, m->call, TN_KEY_RULE);
    if (m->lookup.handle != TN_HANDLE_NONE)
        value_bytes = tn_record_value_bytes(tn_record_at(m->table->base, m->lookup.handle));
    if (value_bytes != NUMBER_BYTES)
        return tn_store_fail(m->table->store, TARN_E_TYPE,
                             "%s: table '%s': the value has %zu bytes, not 8", m->call,
                             m->table->name, value_bytes);
    return tn_table_check_type(m->table, m->call, type, NUMBER_BYTES);
}

/* TARN_OK: there is a number. TARN_ABSENT: there is no entry. Else a failure. */
TN_ALWAYS_INLINE int merge_find(struct merge *m, int type)
{
    struct tn_record *record;

    m->bits = 0;
    m->lookup.handle = TN_HANDLE_NONE;
    if (TN_UNLIKELY(!tn_table_call_ok(m->table, m->key, m->key_bytes) ||
                    (m->table->type != TARN_ANY && m->table->type != type)))
        return merge_misuse(m, type);
    if (TN_UNLIKELY(tn_table_find(m->table, m->key, m->key_bytes, &m->lookup) == TN_HANDLE_NONE))
        return TARN_ABSENT;
    record = tn_record_at(m->table->base, m->lookup.handle);
    if (TN_UNLIKELY(tn_record_value_bytes(record) != NUMBER_BYTES))
        return merge_misuse(m, type);
    m->bits = tn_load_le64(tn_record_value(record));
    return TARN_OK;
}

/* The number becomes `bits`. `found` is what merge_find answered. */
TN_ALWAYS_INLINE int merge_store(struct merge *m, int found, uint64_t bits)
{
    struct tn_record *record;

    if (TN_UNLIKELY(found == TARN_ABSENT)) {
        record = tn_entry_insert(m->table, &m->lookup, m->key, m->key_bytes, NUMBER_BYTES);
        if (record == NULL)
            return tn_insert_refused(m->table, m->call, NUMBER_BYTES);
        tn_store_le64(tn_record_value(record), bits);
        return TARN_OK;
    }
    if (bits == m->bits) /* G2 */
        return TARN_OK;
    tn_store_le64(tn_record_value(tn_entry_change(m->table, &m->lookup)), bits);
    tn_write_upkeep(m->table);
    return TARN_OK;
}

/* ---- integers -------------------------------------------------------------------------------- */

static int merge_overflow(const struct merge *m, int64_t delta)
{
    return tn_store_fail(m->table->store, TARN_E_TYPE,
                         "%s: table '%s': %lld + %lld does not fit 64 bits", m->call,
                         m->table->name, (long long)(int64_t)m->bits, (long long)delta);
}

int tarn_add_i64(tarn_table *table, const void *key, size_t key_bytes, int64_t delta,
                 int64_t *result)
{
    struct merge m = { .table = table, .call = "tarn_add_i64", .key = key, .key_bytes = key_bytes };
    int found = merge_find(&m, TARN_I64), stored;
    int64_t sum;

    if (TN_UNLIKELY(found < 0))
        return found;
    if (TN_UNLIKELY(__builtin_add_overflow((int64_t)m.bits, delta, &sum)))
        return merge_overflow(&m, delta);
    stored = merge_store(&m, found, (uint64_t)sum);
    if (TN_LIKELY(stored == TARN_OK) && result != NULL)
        *result = sum;
    return stored;
}

static int merge_extreme_i64(struct merge *m, int64_t operand, bool greatest, int64_t *result)
{
    int found = merge_find(m, TARN_I64), stored;
    int64_t value = (int64_t)m->bits;

    if (found < 0)
        return found;
    if (found == TARN_ABSENT || (greatest ? operand > value : operand < value))
        value = operand;
    stored = merge_store(m, found, (uint64_t)value);
    if (stored == TARN_OK && result != NULL)
        *result = value;
    return stored;
}

int tarn_min_i64(tarn_table *table, const void *key, size_t key_bytes, int64_t operand,
                 int64_t *result)
{
    struct merge m = { .table = table, .call = "tarn_min_i64", .key = key, .key_bytes = key_bytes };

    return merge_extreme_i64(&m, operand, false, result);
}

int tarn_max_i64(tarn_table *table, const void *key, size_t key_bytes, int64_t operand,
                 int64_t *result)
{
    struct merge m = { .table = table, .call = "tarn_max_i64", .key = key, .key_bytes = key_bytes };

    return merge_extreme_i64(&m, operand, true, result);
}

/* ---- floating point -------------------------------------------------------------------------- */

static double f64_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t f64_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static bool f64_is_nan(double value)
{
    return value != value;
}

/* Numbers, not NaN, in an order in which -0.0 comes before 0.0 (G3). */
static bool f64_is_less(double a, double b)
{
    return a < b || (a == b && f64_bits(a) >> 63 > f64_bits(b) >> 63);
}

static int merge_nan(const struct merge *m, double operand)
{
    return tn_store_fail(m->table->store, TARN_E_TYPE,
                         "%s: table '%s': with %g and %g the result would not be a number", m->call,
                         m->table->name, f64_of(m->bits), operand);
}

int tarn_add_f64(tarn_table *table, const void *key, size_t key_bytes, double delta, double *result)
{
    struct merge m = { .table = table, .call = "tarn_add_f64", .key = key, .key_bytes = key_bytes };
    int found = merge_find(&m, TARN_F64), stored;
    double sum = f64_of(m.bits) + delta;

    if (found < 0)
        return found;
    if (f64_is_nan(sum)) /* so is one of the two, or they are both infinities */
        return merge_nan(&m, delta);
    stored = merge_store(&m, found, f64_bits(sum));
    if (stored == TARN_OK && result != NULL)
        *result = sum;
    return stored;
}

static int merge_extreme_f64(struct merge *m, double operand, bool greatest, double *result)
{
    int found = merge_find(m, TARN_F64), stored;
    double value = f64_of(m->bits);

    if (found < 0)
        return found;
    if (f64_is_nan(operand) || f64_is_nan(value))
        return merge_nan(m, operand);
    if (found == TARN_ABSENT ||
        (greatest ? f64_is_less(value, operand) : f64_is_less(operand, value)))
        value = operand;
    stored = merge_store(m, found, f64_bits(value));
    if (stored == TARN_OK && result != NULL)
        *result = value;
    return stored;
}

int tarn_min_f64(tarn_table *table, const void *key, size_t key_bytes, double operand,
                 double *result)
{
    struct merge m = { .table = table, .call = "tarn_min_f64", .key = key, .key_bytes = key_bytes };

    return merge_extreme_f64(&m, operand, false, result);
}

int tarn_max_f64(tarn_table *table, const void *key, size_t key_bytes, double operand,
                 double *result)
{
    struct merge m = { .table = table, .call = "tarn_max_f64", .key = key, .key_bytes = key_bytes };

    return merge_extreme_f64(&m, operand, true, result);
}

/* ---- appending ------------------------------------------------------------------------------- */

/* The value has `total` bytes now; the slot has room for them, and the header for the number. */
static void record_lengthen(struct tn_record *record, size_t total)
{
    if (tn_record_is_long(record))
        ((struct tn_record_long *)(void *)record)->value_bytes = (uint32_t)total;
    else
        record->value_bytes = (uint16_t)total;
}

/* Room for a value of `total` bytes with its first `kept` ones in it. false: refused. */
static bool append_make_room(tarn_table *table, struct tn_lookup *lookup, const void *key,
                             size_t key_bytes, size_t total, size_t kept)
{
    size_t just_bytes = tn_record_bytes(key_bytes, total);
    size_t room_bytes = tn_record_bytes(key_bytes, total + total / 2); /* G4 */

    if (tn_entry_move(table, lookup, key, key_bytes, total, room_bytes, kept) != TN_HANDLE_NONE ||
        tn_entry_move(table, lookup, key, key_bytes, total, just_bytes, kept) != TN_HANDLE_NONE)
        return true;
    return tn_store_reclaim_all(table->store) &&
           tn_entry_move(table, lookup, key, key_bytes, total, just_bytes, kept) != TN_HANDLE_NONE;
}

static int table_append(tarn_table *table, struct tn_lookup *lookup, const void *key,
                        size_t key_bytes, const void *bytes, size_t bytes_count)
{
    struct tn_record *record = tn_record_at(table->base, lookup->handle);
    size_t old_bytes = tn_record_value_bytes(record), total = old_bytes + bytes_count;

    if (bytes_count == 0)
        return TARN_OK;
    if (bytes_count > TARN_VALUE_BYTES_MAX - old_bytes)
        return tn_store_fail(table->store, TARN_E_FULL,
                             "tarn_append: table '%s': %zu and %zu bytes are more than a value's "
                             "most, %u; start another entry",
                             table->name, old_bytes, bytes_count, TARN_VALUE_BYTES_MAX);
    if (tn_record_bytes(key_bytes, total) >
            tn_heap_slot_bytes(&table->store->heap, lookup->handle) ||
        tn_record_must_be_long(key_bytes, total) != tn_record_is_long(record)) {
        if (!append_make_room(table, lookup, key, key_bytes, total, old_bytes))
            return tn_store_refused(table->store, "tarn_append");
    }
    record = tn_entry_change(table, lookup);
    record_lengthen(record, total);
    memcpy(tn_record_value(record) + old_bytes, bytes, bytes_count);
    table->entry_bytes += bytes_count;
    tn_write_upkeep(table);
    tn_table_evacuate_share(table, TN_HANDLE_NONE);
    return TARN_OK;
}

int tarn_append(tarn_table *table, const void *key, size_t key_bytes, const void *bytes,
                size_t bytes_count)
{
    struct tn_lookup lookup;
    struct tn_record *record;

    if (!tn_write_call_ok(table, key, key_bytes, bytes, bytes_count))
        return tn_table_misuse(table, "tarn_append", TN_VALUE_RULE);
    if (table->type != TARN_ANY)
        return tn_store_fail(table->store, TARN_E_TYPE,
                             "tarn_append: table '%s' has values of type %s; append needs an "
                             "untyped table",
                             table->name, tn_type_text(table->type));
    if (tn_table_find(table, key, key_bytes, &lookup) != TN_HANDLE_NONE)
        return table_append(table, &lookup, key, key_bytes, bytes, bytes_count);
    record = tn_entry_insert(table, &lookup, key, key_bytes, bytes_count);
    if (record == NULL)
        return tn_insert_refused(table, "tarn_append", bytes_count);
    if (bytes_count > 0)
        memcpy(tn_record_value(record), bytes, bytes_count);
    return TARN_OK;
}
