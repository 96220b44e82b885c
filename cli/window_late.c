/*
 * window_late.c - the file of --late-to; see window_late.h for the rules
 */
#include "window_late.h"
#include "command.h"
#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool tn_late_open(struct tn_late *late, const char *path)
{
    late->is_open = tn_output_open(&late->output, path);
    return late->is_open;
}

bool tn_late_has_header(const struct tn_late *late, tarn_bytes header)
{
    return header.bytes == 0 || late->header == NULL ||
           (header.bytes == late->header_bytes &&
            memcmp(header.data, late->header, header.bytes) == 0);
}

bool tn_late_row(struct tn_late *late, tarn_bytes raw)
{
    tn_output_add(&late->output, raw.data, raw.bytes);
    tn_output_byte(&late->output, '\n');
    return tn_output_end_line(&late->output);
}

/* Keep a copy of the header. */
static bool late_keep(struct tn_late *late, tarn_bytes header)
{
    late->header = malloc(header.bytes);
    if (late->header == NULL) {
        late->output.error = ENOMEM;
        return false;
    }
    memcpy(late->header, header.data, header.bytes);
    late->header_bytes = header.bytes;
    return true;
}

bool tn_late_header(struct tn_late *late, tarn_bytes header)
{
    if (header.bytes == 0 || late->header != NULL)
        return tn_late_has_header(late, header);
    return late_keep(late, header) && tn_late_row(late, header);
}

bool tn_late_resume(struct tn_late *late, const char *path, uint64_t bytes, tarn_bytes header,
                    int *exit_code)
{
    *exit_code = TN_EXIT_FAILED;
    late->is_open = tn_output_resume(&late->output, path, bytes);
    if (late->is_open)
        return header.bytes == 0 || late_keep(late, header);
    *exit_code = tn_output_refuse("window", path, bytes);
    return false;
}

bool tn_late_flush(struct tn_late *late)
{
    return !late->is_open || tn_output_flush(&late->output);
}

int tn_late_close(struct tn_late *late, const char *verb)
{
    int exit_code = late->is_open ? tn_output_close(&late->output, verb) : TN_EXIT_DONE;

    free(late->header);
    *late = (struct tn_late){ .is_open = false };
    return exit_code;
}
