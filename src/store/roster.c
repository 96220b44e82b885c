/*
 * roster.c - tables by number, and their entries in the catalog; see B3 of durable.h
 *
 *     catalog entry, 32 bytes, little-endian; the key is the name
 *
 *     0          8      9      10     11      12      16             24         32
 *     | number   | kind | type | role | order | 0     | value bytes  | 0        |
 *
 *     the name is one that users can give, or has what dict.c puts behind it (docs/FORMAT.md)
 *     order: of the bytes of a TARN_STRUCT: 1 little-endian, 2 big-endian; 0 of anything else
 *     the zeros have room for the unit and the base of deadlines
 */
#include "store/durable.h"
#include "store/typed.h"

#include <string.h>

#define ENTRY_BYTES 32u
#define ROSTER_ROOM_FIRST 8u

static void entry_encode(const tarn_table *table, uint8_t *out)
{
    memset(out, 0, ENTRY_BYTES);
    tn_store_le64(out, table->id);
    out[8] = (uint8_t)table->kind;
    out[9] = (uint8_t)table->type;
    out[10] = (uint8_t)table->role;
    out[11] = (uint8_t)tn_byte_order_of(table->type, table->is_foreign);
    tn_store_le64(out + 16, table->value_bytes);
}

/* ---- the roster ------------------------------------------------------------------------------ */

size_t tn_roster_place(const struct tn_durable *durable, uint64_t table_id)
{
    size_t low = 0, high = durable->roster_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (durable->roster[middle]->id < table_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

tarn_table *tn_roster_find(const struct tn_durable *durable, uint64_t table_id)
{
    size_t place = tn_roster_place(durable, table_id);

    return place < durable->roster_count && durable->roster[place]->id == table_id
               ? durable->roster[place]
               : NULL;
}

static bool roster_reserve(tarn_store *store, struct tn_durable *durable)
{
    size_t room = durable->roster_room == 0 ? ROSTER_ROOM_FIRST : 2 * durable->roster_room;
    tarn_table **roster;

    if (durable->roster_count < durable->roster_room)
        return true;
    roster = tn_memory_resize(&store->memory, durable->roster,
                              durable->roster_room * sizeof *roster, room * sizeof *roster);
    if (roster == NULL)
        return false;
    durable->roster = roster;
    durable->roster_room = room;
    return true;
}

static void roster_insert(struct tn_durable *durable, tarn_table *table)
{
    size_t place = tn_roster_place(durable, table->id);

    memmove(durable->roster + place + 1, durable->roster + place,
            (durable->roster_count - place) * sizeof *durable->roster);
    durable->roster[place] = table;
    durable->roster_count++;
}

static void roster_take_out(struct tn_durable *durable, const tarn_table *table)
{
    size_t place = tn_roster_place(durable, table->id);

    tn_assert(place < durable->roster_count && durable->roster[place] == table);
    durable->roster_count--;
    memmove(durable->roster + place, durable->roster + place + 1,
            (durable->roster_count - place) * sizeof *durable->roster);
}

/* ---- tables coming, changing, going ---------------------------------------------------------- */

static int catalog_put(const tarn_table *table)
{
    uint8_t entry[ENTRY_BYTES];

    entry_encode(table, entry);
    return tarn_put(table->store->durable->catalog, table->name, table->name_bytes, entry,
                    sizeof entry);
}

bool tn_roster_add(tarn_table *table)
{
    struct tn_durable *durable = table->store->durable;

    if (durable == NULL)
        return true;
    table->id = durable->next_table_id;
    if (!roster_reserve(table->store, durable) || catalog_put(table) < 0)
        return false;
    durable->next_table_id++;
    roster_insert(durable, table);
    tn_heap_mark_all(&table->body->owner); /* it may come with records */
    return true;
}

bool tn_roster_add_all(tarn_table *tables)
{
    tarn_table *table, *added;

    for (table = tables; table != NULL && tn_roster_add(table); table = table->next_gone) {
    }
    for (added = tables; table != NULL && added != table; added = added->next_gone)
        tn_roster_remove(added);
    return table == NULL;
}

void tn_roster_renew(tarn_table *table)
{
    struct tn_durable *durable = table->store->durable;

    if (durable == NULL)
        return;
    roster_take_out(durable, table);
    table->id = durable->next_table_id++;
    roster_insert(durable, table);
    tn_heap_mark_all(&table->body->owner);
    if (catalog_put(table) != TARN_OK)
        tn_unreachable(); /* an entry of the same size, in its place */
}

void tn_roster_remove(tarn_table *table)
{
    struct tn_durable *durable = table->store->durable;

    if (durable == NULL)
        return;
    roster_take_out(durable, table);
    if (tarn_delete(durable->catalog, table->name, table->name_bytes) != TARN_OK)
        tn_unreachable(); /* it is there, and a delete needs nothing */
}

/* ---- loading --------------------------------------------------------------------------------- */

static int entry_refuse(tarn_store *store, tarn_bytes name, const char *what)
{
    return tn_store_fail(store, TARN_E_CORRUPT,
                         "the catalog's entry of table '%.*s' does not hold: %s",
                         (int)tn_min(name.bytes, 64), (const char *)name.data, what);
}

int tn_roster_decode(tarn_bytes name, tarn_bytes entry, struct tn_roster_entry *out,
                     const char **why)
{
    const uint8_t *at = entry.data;
    tarn_table_options *options = &out->options;

    *why = NULL;
    if (entry.bytes != ENTRY_BYTES)
        *why = "its size";
    else if (at[8] > TARN_UNORDERED || at[10] > TN_ROLE_DICT_KEYS || at[11] > TN_ORDER_BIG)
        *why = "its kind, role or byte order";
    else if (!tn_name_fits((enum tn_table_role)at[10], name))
        *why = "its name";
    else
        *out = (struct tn_roster_entry){
            .table_id = tn_load_le64(at),
            .options = { at[8], at[9], (size_t)tn_load_le64(at + 16) },
            .role = (enum tn_table_role)at[10],
            .is_foreign = at[11] != (uint8_t)tn_byte_order_of(at[9], false),
        };
    if (*why == NULL && (!tn_type_ok(options) || tn_type_bytes(options) != options->value_bytes ||
                         (options->type == TARN_STRUCT) != (at[11] != TN_ORDER_NONE)))
        *why = "its type";
    return *why == NULL ? TARN_OK : TARN_E_CORRUPT;
}

/* Whether a table may have that number. */
static bool number_ok(const struct tn_durable *durable, uint64_t table_id)
{
    return table_id != 0 && table_id < durable->next_table_id &&
           tn_roster_find(durable, table_id) == NULL;
}

int tn_roster_load(tarn_store *store, struct tn_durable *durable, tarn_bytes name, tarn_bytes entry)
{
    struct tn_roster_entry decoded;
    const char *why;
    tarn_table *table;

    if (tn_roster_decode(name, entry, &decoded, &why) < 0)
        return entry_refuse(store, name, why);
    if (!number_ok(durable, decoded.table_id))
        return entry_refuse(store, name, "its number");
    if (!roster_reserve(store, durable))
        return tn_store_refused(store, "tarn_open");
    table = tn_table_new(store, name, decoded.role, &decoded.options);
    if (table == NULL)
        return tn_store_refused(store, "tarn_open");
    if (!tn_catalog_add(store, table)) {
        tn_table_free_whole(table);
        return tn_store_refused(store, "tarn_open");
    }
    table->is_foreign = decoded.is_foreign;
    table->id = decoded.table_id;
    roster_insert(durable, table);
    return TARN_OK;
}
