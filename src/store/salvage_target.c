/*
 * salvage_target.c - the new store of a salvage, and what becomes of its directory; see G1, G3 of
 * salvage.h
 *
 *     not there, or empty --> open --> tables and entries, in memory --> one commit --> closed
 *                               \------------ a failure ------------> closed --> emptied
 */
#include "store/salvage.h"
#include "store/snapshot.h"

#include <errno.h>
#include <string.h>

static int any_name(void *argument, const char *name)
{
    (void)argument;
    (void)name;
    return 1;
}

/* G1 */
int tn_salvage_target_look(struct tn_salvage *s)
{
    int directory = s->os->ops->directory_open(s->os->context, s->target, 0);
    int result;

    if (directory == -ENOENT)
        return TARN_OK;
    if (directory == -ENOTDIR || directory == -ELOOP)
        return tn_salvage_fail(
            s, TARN_E_MISUSE,
            "the target is not a directory, or is a symbolic link; name a new one");
    if (directory < 0)
        return tn_salvage_fail(s, TARN_E_IO, "the target's directory cannot be opened");
    result = s->os->ops->directory_list(s->os->context, directory, any_name, NULL);
    s->os->ops->directory_close(s->os->context, directory);
    if (result < 0)
        return tn_salvage_fail(s, TARN_E_IO, "the target's directory cannot be listed");
    if (result > 0)
        return tn_salvage_fail(s, TARN_E_MISUSE, "the target is not empty; name a new directory");
    return TARN_OK;
}

struct leftover {
    char names[8][TN_LOG_NAME_BYTES];
    size_t count;
};

static int leftover_note(void *argument, const char *name)
{
    struct leftover *leftover = argument;

    if (tn_log_name_number(name) != 0 && leftover->count < TN_ARRAY_COUNT(leftover->names))
        memcpy(leftover->names[leftover->count++], name, TN_LOG_NAME_BYTES);
    return 0;
}

/* G1: what this call made there, after a failure; as far as that works. */
static void target_empty(const struct tn_salvage *s)
{
    int directory = s->os->ops->directory_open(s->os->context, s->target, 0);
    struct leftover leftover;
    size_t i;

    if (directory < 0)
        return;
    do {
        leftover.count = 0;
        (void)s->os->ops->directory_list(s->os->context, directory, leftover_note, &leftover);
        for (i = 0; i < leftover.count; i++)
            if (s->os->ops->directory_unlink(s->os->context, directory, leftover.names[i]) != 0)
                leftover.count = 0;
    } while (leftover.count > 0);
    s->os->ops->directory_close(s->os->context, directory);
}

int tn_salvage_target_open(struct tn_salvage *s)
{
    static const tarn_table_options unordered = { TARN_UNORDERED, TARN_ANY, 0 };
    tarn_report report;
    int result;

    s->options.report = &report;
    result = tn_store_open(&s->store, s->target, &s->options, s->os);
    if (result != TARN_OK)
        return tn_salvage_fail(s, result, report.text);
    if (s->store->commit_number != 0) { /* made since it was looked at, by somebody else */
        (void)tarn_close(s->store);
        s->store = NULL;
        return tn_salvage_fail(s, TARN_E_MISUSE, "the target is not empty; name a new directory");
    }
    s->names = tn_table_new(s->store, (tarn_bytes){ "", 0 }, TN_ROLE_PLAIN, &unordered);
    s->ids = tn_table_new(s->store, (tarn_bytes){ "", 0 }, TN_ROLE_PLAIN, &unordered);
    return s->names != NULL && s->ids != NULL ? TARN_OK : tn_salvage_table_refused(s);
}

static void scaffolding_remove(struct tn_salvage *s)
{
    if (s->names != NULL)
        tn_table_discard(s->names);
    if (s->ids != NULL)
        tn_table_discard(s->ids);
    s->names = s->ids = NULL;
}

/* G3 */
int tn_salvage_target_publish(struct tn_salvage *s)
{
    tarn_statistics statistics;
    tarn_table *table;
    tarn_bytes note;
    int result;

    while ((table = s->tables) != NULL) {
        s->tables = table->next_gone;
        table->next_gone = NULL;
        if (!tn_catalog_add(s->store, table)) {
            tn_table_discard(table);
            return tn_salvage_table_refused(s);
        }
    }
    result = tn_log_survey_note(s->survey, &s->out->report.commit_number, &note);
    if (result != TARN_OK)
        return tn_salvage_fail(s, result, "no memory for the note");
    result = tarn_commit(s->store, note.data, note.bytes, TARN_SYNC);
    if (result < 0)
        return tn_salvage_store_failed(s, result);
    (void)tarn_stat(s->store, &statistics);
    s->out->table_count = statistics.table_count;
    s->out->entry_count = statistics.entry_count;
    return TARN_OK;
}

int tn_salvage_target_end(struct tn_salvage *s, int result)
{
    int closed;

    while (s->tables != NULL)
        tn_salvage_table_remove(s, s->tables);
    scaffolding_remove(s);
    closed = tarn_close(s->store);
    if (result == TARN_OK && closed < 0)
        result = tn_salvage_fail(s, closed, "the new store could not be closed");
    if (result != TARN_OK)
        target_empty(s);
    return result;
}
