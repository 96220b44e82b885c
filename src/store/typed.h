/*
 * typed.h - what a table's type says about its values
 */
#ifndef TN_TYPED_H
#define TN_TYPED_H

#include "base/base.h"

#include <tarn.h>

/* Whether there is such a type, of such a size. */
bool tn_type_ok(const tarn_table_options *options);

/* What every value of that type has; 0: any. */
size_t tn_type_bytes(const tarn_table_options *options);

/* "i64", for messages. Static. */
const char *tn_type_text(int type);

/* TARN_OK: the table is usable and its values may be of that type. Else the result, with its text. */
int tn_table_check_type(tarn_table *table, const char *call, int type, size_t value_bytes);

#endif
