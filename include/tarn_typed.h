/*
 * tarn_typed.h - numbers and structs as values, numbers as keys
 *
 * Inline functions on top of tarn.h; nothing to link but libtarn. C from 1999, C++ from 1998. A
 * table made for one type holds nothing else: reading it as another is TARN_E_TYPE, never a wrong
 * number.
 *
 *     #include <stdio.h>
 *     #include <tarn_typed.h>
 *
 *     struct sensor { double last; uint32_t readings; };
 *     TARN_STRUCT_TABLE(sensors, struct sensor)
 *
 *     int main(void)
 *     {
 *         tarn_store *store;
 *         tarn_table *table;
 *         struct sensor *sensor;
 *         unsigned char key[8];
 *
 *         tarn_key_from_u64(key, 4711);
 *         if (tarn_open(&store, NULL, NULL) < 0 ||
 *             sensors_open(&table, store, "sensors", TARN_ORDERED) < 0 ||
 *             sensors_modify(table, key, sizeof key, &sensor) < 0)
 *             return 1;
 *         sensor->last = 21.5;
 *         sensor->readings++;
 *         printf("%.1f after %d\n", sensor->last, (int)sensor->readings);
 *         return tarn_close(store) < 0;
 *     }
 *
 * Results, ownership and lifetimes are those of tarn.h. Merges of typed numbers (tarn_add_i64,
 * tarn_max_f64, ...) are there, too.
 *
 * Numbers are stored little-endian on every machine. Structs are stored as they are in memory,
 * padding and byte order included.
 */
#ifndef TARN_TYPED_H
#define TARN_TYPED_H

#include <string.h>
#include <tarn.h>

#if defined(__GNUC__)
#define TARN_TYPED_INLINE static inline __attribute__((unused))
#else
#define TARN_TYPED_INLINE static inline
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- tables of numbers ----------------------------------------------------------------------- */

/*
 * Open a table whose values are of one type, and create it when there is none. Another type or kind
 * than an existing table's is TARN_E_TYPE. `type` is TARN_I32 ... TARN_F64.
 */
TARN_TYPED_INLINE int tarn_typed_open(tarn_table **out, tarn_store *store, const char *name,
                                      int kind, int type)
{
    tarn_table_options options;

    memset(&options, 0, sizeof options);
    options.kind = kind;
    options.type = type;
    return tarn_table_open(out, store, name, &options);
}

/* ---- numbers as they are stored -------------------------------------------------------------- */

/*
 * Read and write 4 or 8 little-endian bytes at any address: for pointers from tarn_modify_u64 and
 * its like, from tarn_get_many, tarn_next and tarn_modify_many.
 *
 *     tarn_store_u64(cell, tarn_load_u64(cell) * 2);
 */
TARN_TYPED_INLINE uint32_t tarn_load_u32(const void *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

TARN_TYPED_INLINE uint64_t tarn_load_u64(const void *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (uint64_t)tarn_load_u32(b) | (uint64_t)tarn_load_u32(b + 4) << 32;
}

TARN_TYPED_INLINE int32_t tarn_load_i32(const void *at)
{
    uint32_t bits = tarn_load_u32(at);
    int32_t value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

TARN_TYPED_INLINE int64_t tarn_load_i64(const void *at)
{
    uint64_t bits = tarn_load_u64(at);
    int64_t value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

TARN_TYPED_INLINE float tarn_load_f32(const void *at)
{
    uint32_t bits = tarn_load_u32(at);
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

TARN_TYPED_INLINE double tarn_load_f64(const void *at)
{
    uint64_t bits = tarn_load_u64(at);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

TARN_TYPED_INLINE void tarn_store_u32(void *at, uint32_t value)
{
    unsigned char *b = (unsigned char *)at;

    b[0] = (unsigned char)(value & 255u);
    b[1] = (unsigned char)(value >> 8 & 255u);
    b[2] = (unsigned char)(value >> 16 & 255u);
    b[3] = (unsigned char)(value >> 24);
}

TARN_TYPED_INLINE void tarn_store_u64(void *at, uint64_t value)
{
    unsigned char *b = (unsigned char *)at;

    tarn_store_u32(b, (uint32_t)(value & 0xFFFFFFFFu));
    tarn_store_u32(b + 4, (uint32_t)(value >> 32));
}

TARN_TYPED_INLINE void tarn_store_i32(void *at, int32_t value)
{
    tarn_store_u32(at, (uint32_t)value);
}

TARN_TYPED_INLINE void tarn_store_i64(void *at, int64_t value)
{
    tarn_store_u64(at, (uint64_t)value);
}

TARN_TYPED_INLINE void tarn_store_f32(void *at, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    tarn_store_u32(at, bits);
}

TARN_TYPED_INLINE void tarn_store_f64(void *at, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    tarn_store_u64(at, bits);
}

/* ---- getting --------------------------------------------------------------------------------- */

/*
 * Look up one number. TARN_OK: *value is set. TARN_ABSENT, and TARN_E_TYPE for a table of another
 * type or an entry of another size: it is untouched.
 */
TARN_TYPED_INLINE int tarn_get_i32(tarn_table *table, const void *key, size_t key_bytes,
                                   int32_t *value)
{
    const void *cell;
    int result = tarn_get_as(table, TARN_I32, key, key_bytes, &cell, 4);

    if (result == TARN_OK)
        *value = tarn_load_i32(cell);
    return result;
}

TARN_TYPED_INLINE int tarn_get_u32(tarn_table *table, const void *key, size_t key_bytes,
                                   uint32_t *value)
{
    const void *cell;
    int result = tarn_get_as(table, TARN_U32, key, key_bytes, &cell, 4);

    if (result == TARN_OK)
        *value = tarn_load_u32(cell);
    return result;
}

TARN_TYPED_INLINE int tarn_get_f32(tarn_table *table, const void *key, size_t key_bytes,
                                   float *value)
{
    const void *cell;
    int result = tarn_get_as(table, TARN_F32, key, key_bytes, &cell, 4);

    if (result == TARN_OK)
        *value = tarn_load_f32(cell);
    return result;
}

TARN_TYPED_INLINE int tarn_get_i64(tarn_table *table, const void *key, size_t key_bytes,
                                   int64_t *value)
{
    const void *cell;
    int result = tarn_get_as(table, TARN_I64, key, key_bytes, &cell, 8);

    if (result == TARN_OK)
        *value = tarn_load_i64(cell);
    return result;
}

TARN_TYPED_INLINE int tarn_get_u64(tarn_table *table, const void *key, size_t key_bytes,
                                   uint64_t *value)
{
    const void *cell;
    int result = tarn_get_as(table, TARN_U64, key, key_bytes, &cell, 8);

    if (result == TARN_OK)
        *value = tarn_load_u64(cell);
    return result;
}

TARN_TYPED_INLINE int tarn_get_f64(tarn_table *table, const void *key, size_t key_bytes,
                                   double *value)
{
    const void *cell;
    int result = tarn_get_as(table, TARN_F64, key, key_bytes, &cell, 8);

    if (result == TARN_OK)
        *value = tarn_load_f64(cell);
    return result;
}

/* ---- putting --------------------------------------------------------------------------------- */

/* Set one number. TARN_E_TYPE: the table is of another type, and nothing changed. */
TARN_TYPED_INLINE int tarn_put_i32(tarn_table *table, const void *key, size_t key_bytes,
                                   int32_t value)
{
    unsigned char cell[4];

    tarn_store_i32(cell, value);
    return tarn_put_as(table, TARN_I32, key, key_bytes, cell, sizeof cell);
}

TARN_TYPED_INLINE int tarn_put_u32(tarn_table *table, const void *key, size_t key_bytes,
                                   uint32_t value)
{
    unsigned char cell[4];

    tarn_store_u32(cell, value);
    return tarn_put_as(table, TARN_U32, key, key_bytes, cell, sizeof cell);
}

TARN_TYPED_INLINE int tarn_put_f32(tarn_table *table, const void *key, size_t key_bytes,
                                   float value)
{
    unsigned char cell[4];

    tarn_store_f32(cell, value);
    return tarn_put_as(table, TARN_F32, key, key_bytes, cell, sizeof cell);
}

TARN_TYPED_INLINE int tarn_put_i64(tarn_table *table, const void *key, size_t key_bytes,
                                   int64_t value)
{
    unsigned char cell[8];

    tarn_store_i64(cell, value);
    return tarn_put_as(table, TARN_I64, key, key_bytes, cell, sizeof cell);
}

TARN_TYPED_INLINE int tarn_put_u64(tarn_table *table, const void *key, size_t key_bytes,
                                   uint64_t value)
{
    unsigned char cell[8];

    tarn_store_u64(cell, value);
    return tarn_put_as(table, TARN_U64, key, key_bytes, cell, sizeof cell);
}

TARN_TYPED_INLINE int tarn_put_f64(tarn_table *table, const void *key, size_t key_bytes,
                                   double value)
{
    unsigned char cell[8];

    tarn_store_f64(cell, value);
    return tarn_put_as(table, TARN_F64, key, key_bytes, cell, sizeof cell);
}

/* ---- modifying ------------------------------------------------------------------------------- */

/*
 * Read, modify and write one number in place: one look-up. *cell is where it lies, zero when the
 * key is new; use it with tarn_load_... and tarn_store_... of the same type, before the next call
 * on the store.
 */
TARN_TYPED_INLINE int tarn_modify_i32(tarn_table *table, const void *key, size_t key_bytes,
                                      void **cell)
{
    return tarn_modify_as(table, TARN_I32, key, key_bytes, 4, cell);
}

TARN_TYPED_INLINE int tarn_modify_u32(tarn_table *table, const void *key, size_t key_bytes,
                                      void **cell)
{
    return tarn_modify_as(table, TARN_U32, key, key_bytes, 4, cell);
}

TARN_TYPED_INLINE int tarn_modify_f32(tarn_table *table, const void *key, size_t key_bytes,
                                      void **cell)
{
    return tarn_modify_as(table, TARN_F32, key, key_bytes, 4, cell);
}

TARN_TYPED_INLINE int tarn_modify_i64(tarn_table *table, const void *key, size_t key_bytes,
                                      void **cell)
{
    return tarn_modify_as(table, TARN_I64, key, key_bytes, 8, cell);
}

TARN_TYPED_INLINE int tarn_modify_u64(tarn_table *table, const void *key, size_t key_bytes,
                                      void **cell)
{
    return tarn_modify_as(table, TARN_U64, key, key_bytes, 8, cell);
}

TARN_TYPED_INLINE int tarn_modify_f64(tarn_table *table, const void *key, size_t key_bytes,
                                      void **cell)
{
    return tarn_modify_as(table, TARN_F64, key, key_bytes, 8, cell);
}

/* ---- structs --------------------------------------------------------------------------------- */

/*
 * TARN_STRUCT_TABLE(visits, struct visit) declares, for tables whose values are that struct,
 *
 *     int visits_open(tarn_table **out, tarn_store *store, const char *name, int kind);
 *     int visits_get(tarn_table *table, const void *key, size_t key_bytes, const struct visit **value);
 *     int visits_put(tarn_table *table, const void *key, size_t key_bytes, const struct visit *value);
 *     int visits_modify(tarn_table *table, const void *key, size_t key_bytes, struct visit **value);
 *
 * which are tarn_table_open, tarn_get, tarn_put and tarn_modify without sizes and casts. A table of
 * another size is TARN_E_TYPE. A struct may be at most 8-aligned and should hold no pointers.
 */
#define TARN_STRUCT_TABLE(noun, struct_type)                                                       \
    TARN_TYPED_INLINE int noun##_open(tarn_table **out, tarn_store *store, const char *name,       \
                                      int kind)                                                    \
    {                                                                                              \
        tarn_table_options options;                                                                \
                                                                                                   \
        memset(&options, 0, sizeof options);                                                       \
        options.kind = kind;                                                                       \
        options.type = TARN_STRUCT;                                                                \
        options.value_bytes = sizeof(struct_type);                                                 \
        return tarn_table_open(out, store, name, &options);                                        \
    }                                                                                              \
                                                                                                   \
    TARN_TYPED_INLINE int noun##_get(tarn_table *table, const void *key, size_t key_bytes,         \
                                     const struct_type **value)                                    \
    {                                                                                              \
        const void *at;                                                                            \
        int result = tarn_get_as(table, TARN_STRUCT, key, key_bytes, &at, sizeof **value);         \
                                                                                                   \
        if (result == TARN_OK)                                                                     \
            *value = (const struct_type *)at;                                                      \
        return result;                                                                             \
    }                                                                                              \
                                                                                                   \
    TARN_TYPED_INLINE int noun##_put(tarn_table *table, const void *key, size_t key_bytes,         \
                                     const struct_type *value)                                     \
    {                                                                                              \
        return tarn_put_as(table, TARN_STRUCT, key, key_bytes, value, sizeof *value);              \
    }                                                                                              \
                                                                                                   \
    TARN_TYPED_INLINE int noun##_modify(tarn_table *table, const void *key, size_t key_bytes,      \
                                        struct_type **value)                                       \
    {                                                                                              \
        void *at;                                                                                  \
        int result = tarn_modify_as(table, TARN_STRUCT, key, key_bytes, sizeof **value, &at);      \
                                                                                                   \
        if (result == TARN_OK)                                                                     \
            *value = (struct_type *)at;                                                            \
        return result;                                                                             \
    }

/* ---- numbers as keys ------------------------------------------------------------------------- */

/*
 * Write a number to 4 or 8 bytes that sort as the number does (big-endian; signed ones with the
 * sign bit flipped, so that negative ones come first), and read it back. Scans of an ordered table
 * are then in numeric order, and a range of numbers is a range of keys.
 */
TARN_TYPED_INLINE void tarn_key_from_u32(void *key, uint32_t number)
{
    unsigned char *b = (unsigned char *)key;

    b[0] = (unsigned char)(number >> 24);
    b[1] = (unsigned char)(number >> 16 & 255u);
    b[2] = (unsigned char)(number >> 8 & 255u);
    b[3] = (unsigned char)(number & 255u);
}

TARN_TYPED_INLINE void tarn_key_from_u64(void *key, uint64_t number)
{
    unsigned char *b = (unsigned char *)key;

    tarn_key_from_u32(b, (uint32_t)(number >> 32));
    tarn_key_from_u32(b + 4, (uint32_t)(number & 0xFFFFFFFFu));
}

TARN_TYPED_INLINE void tarn_key_from_i64(void *key, int64_t number)
{
    tarn_key_from_u64(key, (uint64_t)number ^ (uint64_t)1 << 63);
}

TARN_TYPED_INLINE uint32_t tarn_key_to_u32(const void *key)
{
    const unsigned char *b = (const unsigned char *)key;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | (uint32_t)b[3];
}

TARN_TYPED_INLINE uint64_t tarn_key_to_u64(const void *key)
{
    const unsigned char *b = (const unsigned char *)key;

    return (uint64_t)tarn_key_to_u32(b) << 32 | (uint64_t)tarn_key_to_u32(b + 4);
}

TARN_TYPED_INLINE int64_t tarn_key_to_i64(const void *key)
{
    uint64_t bits = tarn_key_to_u64(key) ^ (uint64_t)1 << 63;
    int64_t number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

#ifdef __cplusplus
}
#endif

#endif
