/*
 * typed.h - what a table's type says about its values
 */
#ifndef TN_TYPED_H
#define TN_TYPED_H

#include "base/bytes.h"

#include <tarn.h>

/* Whether there is such a type, of such a size. */
bool tn_type_ok(const tarn_table_options *options);

/* What every value of that type has; 0: any. */
size_t tn_type_bytes(const tarn_table_options *options);

/* "i64", for messages. Static. */
const char *tn_type_text(int type);

/* TARN_OK: the table is usable and its values may be of that type. Else the result, with its text. */
int tn_table_check_type(tarn_table *table, const char *call, int type, size_t value_bytes);

/* As catalog entries and exports say it. */
enum tn_byte_order { TN_ORDER_NONE = 0, TN_ORDER_LITTLE = 1, TN_ORDER_BIG = 2 };

/* Of the values of a table of that type, made on this machine or on one of the other order. */
static inline enum tn_byte_order tn_byte_order_of(int type, bool is_foreign)
{
    if (type != TARN_STRUCT)
        return TN_ORDER_NONE;
    return (TN_BIG_ENDIAN != 0) != is_foreign ? TN_ORDER_BIG : TN_ORDER_LITTLE;
}

#endif
