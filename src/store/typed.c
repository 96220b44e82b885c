/*
 * typed.c - tables whose values have a type: what types there are, and the calls that check them
 *
 *     tarn_get_as, tarn_put_as, tarn_modify_as  ->  is the table of that type, or of any?
 *                                               ->  tarn_get, tarn_put, tarn_modify
 *
 * A type is a promise about the values of a whole table, kept by two tests: each write compares its
 * size with the table's (tn_table_takes), each typed call its type. Records do not know types.
 */
#include "store/typed.h"
#include "store/write.h"

static const struct {
    const char *text;
    size_t bytes;
} types[] = {
    [TARN_ANY] = { "any", 0 }, [TARN_I32] = { "i32", 4 },       [TARN_U32] = { "u32", 4 },
    [TARN_F32] = { "f32", 4 }, [TARN_I64] = { "i64", 8 },       [TARN_U64] = { "u64", 8 },
    [TARN_F64] = { "f64", 8 }, [TARN_STRUCT] = { "struct", 0 },
};

static bool type_is_known(int type)
{
    return type >= 0 && (size_t)type < TN_ARRAY_COUNT(types);
}

bool tn_type_ok(const tarn_table_options *options)
{
    size_t bytes = options->value_bytes;

    if (!type_is_known(options->type))
        return false;
    if (options->type == TARN_STRUCT)
        return bytes > 0 && bytes <= TARN_VALUE_BYTES_MAX;
    return bytes == 0 || bytes == types[options->type].bytes;
}

size_t tn_type_bytes(const tarn_table_options *options)
{
    return options->type == TARN_STRUCT ? options->value_bytes : types[options->type].bytes;
}

const char *tn_type_text(int type)
{
    return type_is_known(type) ? types[type].text : "unknown";
}

int tn_table_fail_type(tarn_table *table, const char *call, size_t value_bytes)
{
    return tn_store_fail(table->store, TARN_E_TYPE,
                         "%s: table '%s' has values of type %s and %zu bytes, not of %zu bytes",
                         call, table->name, tn_type_text(table->type), table->value_bytes,
                         value_bytes);
}

/* ---- the calls ------------------------------------------------------------------------------- */

int tn_table_check_type(tarn_table *table, const char *call, int type, size_t value_bytes)
{
    const tarn_table_options wanted = { TARN_ORDERED, type, value_bytes };

    if (TN_UNLIKELY(!tn_table_call_ok(table, NULL, 0) && !tn_table_is_view(table)))
        return tn_table_misuse(table, call, "");
    if (TN_UNLIKELY(type == TARN_ANY || !tn_type_ok(&wanted) || value_bytes == 0))
        return tn_table_misuse(table, call, "there is no such type of such a size");
    if (table->type == TARN_ANY || (table->type == type && table->value_bytes == value_bytes))
        return TARN_OK;
    return tn_store_fail(table->store, TARN_E_TYPE,
                         "%s: table '%s' has values of type %s and %zu bytes, not %s and %zu", call,
                         table->name, tn_type_text(table->type), table->value_bytes,
                         tn_type_text(type), value_bytes);
}

int tarn_get_as(tarn_table *table, int type, const void *key, size_t key_bytes, const void **value,
                size_t value_bytes)
{
    const void *found = NULL;
    size_t found_bytes = 0;
    int result = tn_table_check_type(table, "tarn_get_as", type, value_bytes);

    if (result != TARN_OK)
        return result;
    if (value == NULL)
        return tn_table_misuse(table, "tarn_get_as", "value must not be NULL");
    result = tarn_get(table, key, key_bytes, &found, &found_bytes);
    if (result != TARN_OK)
        return result;
    if (TN_UNLIKELY(found_bytes != value_bytes))
        return tn_store_fail(table->store, TARN_E_TYPE,
                             "tarn_get_as: table '%s': the value has %zu bytes, not %zu",
                             table->name, found_bytes, value_bytes);
    *value = found;
    return TARN_OK;
}

int tarn_put_as(tarn_table *table, int type, const void *key, size_t key_bytes, const void *value,
                size_t value_bytes)
{
    int result = tn_table_check_type(table, "tarn_put_as", type, value_bytes);

    return result == TARN_OK ? tarn_put(table, key, key_bytes, value, value_bytes) : result;
}

int tarn_modify_as(tarn_table *table, int type, const void *key, size_t key_bytes,
                   size_t value_bytes, void **value)
{
    int result = tn_table_check_type(table, "tarn_modify_as", type, value_bytes);

    return result == TARN_OK ? tarn_modify(table, key, key_bytes, value_bytes, value) : result;
}
