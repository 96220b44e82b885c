/*
 * salvage.h - what the files of tarn_salvage share: what can be read of a damaged store becomes a
 * new one
 *
 *     salvage.c            the call: survey, target, tables, commit
 *       salvage_tables.c   whose entries these are; into which table they go
 *       salvage_dict.c     dictionaries that have lost something
 *       salvage_target.c   the new store: empty, open, published, or empty again
 *
 *     survey --catalog--> names: name -> entry        ids: number -> table, or none any more
 *        |                           |                     ^
 *        |                           +--> tables that nobody knows yet
 *        +--entries--> by their number into those tables --> catalog of the new store --> one commit
 *
 * Rules
 *   G1  The directory that is read is never written to; the new one was empty, and is empty again
 *       after a failure.
 *   G2  Numbers that the catalog has, or had and gave up, are known. Entries of others are of
 *       tables that are gone when nothing is lost, as in recover.c; else they may be of one whose
 *       catalog entry is lost.
 *   G3  Nothing is in the new store before all of it can be: its one commit is the last step.
 *   G4  Keys and codes of a dictionary are each other's, all of them; where something is lost and
 *       they are not, each half becomes a table of its own.
 */
#ifndef TN_SALVAGE_H
#define TN_SALVAGE_H

#include "store/check.h"
#include "store/durable.h"

#define TN_SALVAGE_NAME_BYTES 64u /* of names that are made up */

struct tn_salvage {
    const struct tn_os *os;
    const char *path, *target;
    tarn_options options;
    tarn_damage_fn *damage;
    void *context;
    tarn_salvage_result *out;
    struct tn_memory memory; /* of the survey */
    struct tn_log_survey *survey;
    tarn_store *store;  /* the new one */
    tarn_table *names;  /* the catalog that was read */
    tarn_table *ids;    /* G2: number, 8 bytes -> tarn_table *; NULL: gone */
    tarn_table *tables; /* not in the new catalog yet: a list by next_gone */
    void *value;        /* of an entry too large to be at hand */
    size_t value_room;
};

/* salvage.c: the text of a failure, which is answered; of the new store's, with its own text. */
int tn_salvage_fail(struct tn_salvage *s, int result, const char *text);
int tn_salvage_store_failed(struct tn_salvage *s, int result);
/* Count it, and tell it. */
void tn_salvage_damage(struct tn_salvage *s, const tarn_damage *damage);
/* Whether entries, also those of the catalog, may be among what cannot be read. */
bool tn_salvage_is_lossy(const struct tn_salvage *s);

/* salvage_tables.c; NULL: the new store refuses it, and the next says why */
tarn_table *tn_salvage_table_add(struct tn_salvage *s, tarn_bytes name, enum tn_table_role role,
                                 const tarn_table_options *options);
int tn_salvage_table_refused(struct tn_salvage *s);
void tn_salvage_table_remove(struct tn_salvage *s, tarn_table *table);
/* A name that no table of the catalog has. */
tarn_bytes tn_salvage_name(const struct tn_salvage *s, uint64_t table_id,
                           char name[TN_SALVAGE_NAME_BYTES]);
/* In this order; the first and the last are given to a replay of the survey. */
int tn_salvage_catalog_entry(void *argument, const struct tn_log_entry *entry);
int tn_salvage_tables_make(struct tn_salvage *s);
int tn_salvage_table_entry(void *argument, const struct tn_log_entry *entry);

/* salvage_dict.c: G4 */
int tn_salvage_dictionaries_part(struct tn_salvage *s);

/* salvage_target.c: G1, G3; the last ends all but the survey */
int tn_salvage_target_look(struct tn_salvage *s);
int tn_salvage_target_open(struct tn_salvage *s);
int tn_salvage_target_publish(struct tn_salvage *s);
int tn_salvage_target_end(struct tn_salvage *s, int result);

#endif
