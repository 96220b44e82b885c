/*
 * window_run.c - the run of `tarn window`; see window_run.h for the rules
 *
 *     run_begin          the first input, then the output
 *     run_rows           one turn per row
 *       run_row          time, operator
 *         run_emit       called back by the operator, once per row of output
 *     run_finish         the windows still open
 */
#include "window_run.h"
#include "command.h"
#include "message.h"
#include "signals.h"
#include "window_files.h"
#include "window_outputs.h"
#include "window_report.h"
#include "window_sources.h"
#include "window_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#define VERB "window"
#define RUN_STOPPED (-1000)    /* run_emit's answer that stops the operator; no tarn_result */
#define RUN_PROGRESS_ROWS 4096 /* a power of two */

struct run {
    const struct tn_window_command *command;
    struct tn_window_report report;
    struct tn_timestamp_format time_format;
    tarn_store *store;
    struct tn_memory memory; /* of the operator and the sources, beside the store */
    struct tn_window *window;
    struct tn_sources sources;

    struct tn_window_outputs outputs; /* not open until the first input is: W1 */
    struct tn_window_state state;     /* of --state */
    bool sources_wait;                /* W2 */
    bool finishing;                   /* the input has ended, the last windows are printed */
};

/* ---- failures -------------------------------------------------------------------------------- */

static int run_interrupted(void)
{
    return TN_EXIT_SIGNAL + *tn_signals_flag();
}

static int run_store_failed(struct run *run, int result)
{
    const char *text = run->store != NULL ? tarn_error_text(run->store) : "";

    tn_window_report_clear(&run->report);
    tn_message(VERB, "%s%s%s; use fewer groups, shorter windows or more memory (see ulimit -v)",
               tarn_result_text(result), *text != '\0' ? ": " : "", text);
    return TN_EXIT_FAILED;
}

static int run_memory_failed(void)
{
    tn_message(VERB, "out of memory");
    return TN_EXIT_FAILED;
}

/* A row was bad: go on, unless --strict. */
static int run_bad(struct run *run, uint64_t line, const char *reason)
{
    tn_window_report_bad(&run->report, tn_sources_name(&run->sources), line, reason);
    return run->command->strict ? TN_EXIT_REFUSED : TN_WINDOW_GOES_ON;
}

/* ---- output ---------------------------------------------------------------------------------- */

static int run_emit(void *context, const struct tn_window_row *row)
{
    static const tarn_bytes no_key = { .data = NULL };
    struct run *run = context;
    size_t key_count = run->command->key_count;
    const tarn_bytes *values = run->outputs.values;
    bool written;

    /* With a state a row is taken whole, so that it can be committed; the end of input comes again. */
    if (*tn_signals_flag() != 0 && (run->finishing || run->state.store == NULL))
        return RUN_STOPPED;
    tn_live_clear(&run->report.live);
    written = tn_window_outputs_row(&run->outputs, row);
    if (run->command->mode == TN_WINDOW_FINAL)
        tn_live_group(&run->report.live, row->end_ms, key_count > 0 ? values[2] : no_key,
                      values[2 + key_count]);
    return written ? 0 : RUN_STOPPED;
}

static int run_open_output(struct run *run)
{
    const struct tn_state_progress *progress = &run->state.progress;

    if (!run->state.resumed)
        return tn_window_outputs_open(&run->outputs, tn_sources_header(&run->sources));
    return tn_window_outputs_resume(&run->outputs,
                                    &(struct tn_window_outputs_place){
                                        .output_bytes = progress->output_bytes,
                                        .late_bytes = progress->late_bytes,
                                        .late_header = tn_window_state_late_header(&run->state),
                                        .has_header = progress->has_header != 0,
                                    });
}

/* ---- state ----------------------------------------------------------------------------------- */

/* Commit where the run stands; without --state nothing is to be done. */
static int run_commit(struct run *run, bool finished)
{
    struct tn_state_progress progress = {
        .finished = finished,
        .has_header = tn_writer_has_header(run->outputs.writer),
        .row_count = run->report.row_count,
        .bad_count = run->report.bad_count,
        .written_count = run->outputs.written_count,
        .time_kind = run->time_format.kind,
    };

    if (run->state.store == NULL)
        return TN_WINDOW_GOES_ON;
    return tn_window_state_commit(&run->state, run->window, &run->sources, &run->outputs,
                                  &progress);
}

/* The store: in memory, or where --state says, and then all that was counted before. */
static int run_open_store(struct run *run)
{
    const struct tn_state_progress *progress = &run->state.progress;
    int exit_code, result;

    if (run->command->state_path == NULL) {
        result = tarn_open(&run->store, NULL, NULL);
        return result == TARN_OK ? TN_WINDOW_GOES_ON : run_store_failed(run, result);
    }
    exit_code = tn_window_state_open(&run->state, run->command);
    run->store = run->state.store;
    if (exit_code != TN_WINDOW_GOES_ON || !run->state.resumed)
        return exit_code;
    run->report.row_count = progress->row_count;
    run->report.bad_count = progress->bad_count;
    run->report.resumed_row_count = progress->row_count;
    run->outputs.written_count = progress->written_count;
    run->time_format.kind = (enum tn_timestamp_kind)progress->time_kind;
    return TN_WINDOW_GOES_ON;
}

/* ---- one row --------------------------------------------------------------------------------- */

/* A sum has left its range: by this row, or, of several slices, when a window closed. */
static int run_overflow(struct run *run, uint64_t line)
{
    const char *reason = tn_window_reason(run->window);

    tn_window_report_clear(&run->report);
    if (line > 0)
        tn_message(VERB, "%s:%" PRIu64 ": %s; leave that row out, or sum in a larger unit",
                   tn_sources_name(&run->sources), line, reason);
    else
        tn_message(VERB, "at the end of %s: %s; use shorter windows, or sum in a larger unit",
                   tn_sources_name(&run->sources), reason);
    return TN_EXIT_REFUSED;
}

/* A late row goes to --late-to, if there is one. */
static int run_late(struct run *run, const struct tn_row *row)
{
    tarn_bytes header = tn_sources_header(&run->sources);

    if (run->outputs.late.is_open && !tn_late_has_header(&run->outputs.late, header)) {
        tn_window_report_clear(&run->report);
        tn_message(VERB,
                   "%s: its header is not that of the rows in %s before; give files of one header, "
                   "or leave out --late-to",
                   tn_sources_name(&run->sources), run->command->late_path);
        return TN_EXIT_REFUSED;
    }
    return tn_window_outputs_late(&run->outputs, row->raw, header) ? TN_WINDOW_GOES_ON
                                                                   : TN_EXIT_FAILED;
}

/* What the operator's answer means; `line` is of the row that was pushed, 0 at the end of input. */
static int run_answer(struct run *run, int answer, uint64_t line)
{
    switch (answer) {
    case TN_WINDOW_TAKEN:
    case TN_WINDOW_LATE:
    case TN_WINDOW_OUTSIDE:
        return TN_WINDOW_GOES_ON;
    case TN_WINDOW_BAD:
        return run_bad(run, line, tn_window_reason(run->window));
    case TN_WINDOW_OVERFLOW:
        return run_overflow(run, line);
    case RUN_STOPPED: /* by a signal; or the output failed, which closing it tells */
        return *tn_signals_flag() != 0 ? run_interrupted() : TN_EXIT_FAILED;
    default:
        return run_store_failed(run, answer);
    }
}

static int run_row(struct run *run, const struct tn_row *row)
{
    const tarn_bytes *fields = row->fields;
    struct tn_window_event event = {
        .keys = fields + 1,
        .arguments = fields + 1 + run->command->key_count,
    };
    struct tn_reason reason;
    int answer, exit_code;

    if (!tn_timestamp_read(&run->time_format, fields[0], &event.time_ms, &reason))
        return run_bad(run, row->line, reason.text);
    answer = tn_window_push(run->window, &event);
    exit_code = answer == TN_WINDOW_LATE ? run_late(run, row) : run_answer(run, answer, row->line);
    if (exit_code != TN_WINDOW_GOES_ON || !run->command->merge || answer == TN_WINDOW_BAD)
        return exit_code;
    tn_sources_advance(&run->sources, event.time_ms);
    answer = tn_window_advance(run->window, run->sources.watermarks.time_ms);
    return run_answer(run, answer, row->line);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Nothing comes for a while: everything that can be written is written (W2). */
static int run_flush(struct run *run)
{
    return tn_window_outputs_flush(&run->outputs) ? TN_WINDOW_GOES_ON : TN_EXIT_FAILED;
}

/* Redraw the view, behind everything that was printed. */
static int run_draw(struct run *run)
{
    struct tn_live_facts facts = { .row_count = run->report.row_count,
                                   .bad_count = run->report.bad_count };
    struct tn_window_counts counts;
    int exit_code = run_flush(run);

    tn_window_count(run->window, &counts);
    facts.late_count = counts.late_count;
    facts.open_count = counts.open_count;
    facts.watermark_ms = counts.watermark_ms;
    tn_live_draw(&run->report.live, &facts);
    return exit_code;
}

/* What is shown of the run is shown again, if it is time to. */
static int run_show(struct run *run)
{
    struct tn_window_progress progress = { .input_bytes = 0 };

    if (tn_window_report_is_due(&run->report)) {
        progress.input_bytes = tn_sources_bytes(&run->sources);
        if (!tn_sources_progress(&run->sources, &progress.read_bytes, &progress.file_bytes))
            progress.file_bytes = 0;
        tn_window_report_progress(&run->report, &progress);
    }
    return tn_live_is_due(&run->report.live) ? run_draw(run) : TN_WINDOW_GOES_ON;
}

static int run_wait(struct run *run)
{
    int exit_code = run_flush(run);

    if (exit_code == TN_WINDOW_GOES_ON)
        exit_code = run_show(run);
    if (exit_code == TN_WINDOW_GOES_ON &&
        tn_window_state_is_due(&run->state, run->report.row_count, true))
        exit_code = run_commit(run, false);
    if (exit_code == TN_WINDOW_GOES_ON)
        tn_sources_wait(&run->sources);
    return exit_code;
}

/* No row can come from the sources, and this is why. */
static int run_refused(struct run *run, int answer)
{
    if (answer == TN_READER_STOPPED)
        return run_interrupted();
    tn_window_report_clear(&run->report);
    tn_message(VERB, "%s", tn_sources_reason(&run->sources));
    return answer == TN_READER_REFUSED ? TN_EXIT_REFUSED : TN_EXIT_FAILED;
}

/* What became of one turn: `answer` and `row` are of tn_sources_next. */
static int run_turn(struct run *run, int answer, const struct tn_row *row)
{
    switch (answer) {
    case TN_READER_ROW:
        run->report.row_count++;
        return run_row(run, row);
    case TN_READER_BAD:
        run->report.row_count++;
        return run_bad(run, row->line, tn_sources_reason(&run->sources));
    case TN_SOURCES_MOVED:
        return run_answer(run, tn_window_advance(run->window, run->sources.watermarks.time_ms), 0);
    case TN_READER_WAITS:
        return run_wait(run);
    default:
        return run_refused(run, answer);
    }
}

static int run_rows(struct run *run)
{
    struct tn_row row;
    int exit_code = TN_WINDOW_GOES_ON, answer;

    while (exit_code == TN_WINDOW_GOES_ON) {
        if (run->sources_wait && run_flush(run) != TN_WINDOW_GOES_ON) /* W2 */
            return TN_EXIT_FAILED;
        answer = tn_sources_next(&run->sources, &row);
        if (answer == TN_READER_END)
            return TN_WINDOW_GOES_ON;
        exit_code = run_turn(run, answer, &row);
        if (exit_code == TN_WINDOW_GOES_ON &&
            (run->report.row_count & (RUN_PROGRESS_ROWS - 1)) == 0)
            exit_code = run_show(run);
        if (exit_code == TN_WINDOW_GOES_ON &&
            tn_window_state_is_due(&run->state, run->report.row_count, false))
            exit_code = run_commit(run, false);
    }
    return exit_code;
}

/* All rows; when a signal ends that, where it did is committed. */
static int run_rows_to_end(struct run *run)
{
    int exit_code = run_rows(run), commit_code;

    if (exit_code < TN_EXIT_SIGNAL || exit_code == TN_EXIT_PIPE)
        return exit_code;
    commit_code = run_commit(run, false);
    return commit_code == TN_WINDOW_GOES_ON ? exit_code : commit_code;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int run_open(struct run *run)
{
    const struct tn_window_command *command = run->command;
    struct tn_window_options options = {
        .every_ms = command->every_ms,
        .slide_ms = command->slide_ms,
        .offset_ms = command->offset_ms,
        .gap_ms = command->gap_ms,
        .late_ms = command->late_ms,
        .watermark_is_given = command->merge,
        .max_ahead_ms = command->max_ahead_ms,
        .grace_ms = command->grace_ms,
        .mode = command->mode,
        .print_ms = command->print_ms,
        .key_count = command->key_count,
        .aggregates = command->aggregates.items,
        .aggregate_count = command->aggregates.count,
    };
    int result, exit_code;

    tn_window_report_begin(&run->report, command->verbose,
                           command->output_format == TN_WRITER_PRETTY &&
                               command->output_path == NULL);
    run->time_format = command->time_format;
    tn_memory_init(&run->memory, NULL, NULL, 0);
    if (!tn_window_outputs_init(&run->outputs, command) ||
        !tn_sources_init(&run->sources, command, &run->memory))
        return run_memory_failed();
    exit_code = run_open_store(run);
    if (exit_code != TN_WINDOW_GOES_ON)
        return exit_code;
    result = tn_window_open(&run->window, run->store, &run->memory, &options, run_emit, run);
    return result == TARN_OK ? TN_WINDOW_GOES_ON : run_store_failed(run, result);
}

/* The first input, then the output (W1). */
static int run_begin(struct run *run)
{
    int answer, exit_code;

    run->sources_wait = tn_inputs_can_wait(run->command);
    run->sources.no_wait = run->report.live.on; /* the view goes on while nothing comes */
    exit_code = run->state.store != NULL ? tn_window_state_place(&run->state, &run->sources)
                                         : TN_WINDOW_GOES_ON;
    if (exit_code != TN_WINDOW_GOES_ON)
        return exit_code;
    answer = tn_sources_begin(&run->sources);
    exit_code = answer == TN_READER_ROW ? run_open_output(run) : run_refused(run, answer);
    if (exit_code == TN_WINDOW_GOES_ON && !run->state.resumed)
        exit_code = run_commit(run, false);
    return exit_code;
}

/* The input has ended well: print what is open (W3), and say what there is to say. */
static int run_finish(struct run *run)
{
    struct tn_window_summary summary = { .input_bytes = tn_sources_bytes(&run->sources) };
    int exit_code = run_commit(run, false); /* a signal from here on loses no row */

    if (exit_code != TN_WINDOW_GOES_ON)
        return exit_code;
    run->finishing = true;
    tn_window_count(run->window, &summary.counts);
    tn_window_report_clear(&run->report);
    exit_code = run_answer(run, tn_window_finish(run->window), 0);
    if (exit_code != TN_WINDOW_GOES_ON)
        return exit_code;
    if (!tn_writer_finish(run->outputs.writer))
        return TN_EXIT_FAILED;
    exit_code = run_commit(run, true);
    if (exit_code != TN_WINDOW_GOES_ON)
        return exit_code;
    summary.written_count = run->outputs.written_count;
    summary.late_path = run->command->late_path;
    summary.time_format = tn_timestamp_format_text(&run->time_format);
    summary.time_format_was_chosen = run->command->time_format.kind == TN_TIMESTAMP_AUTO &&
                                     run->time_format.kind != TN_TIMESTAMP_AUTO;
    tn_window_report_end(&run->report, &summary);
    return TN_EXIT_DONE;
}

/* Complete rows are written whatever happened; a failure to do so comes before what was fine. */
static int run_close(struct run *run, int exit_code)
{
    int output_code, state_code = TN_EXIT_DONE;

    tn_window_report_clear(&run->report);
    output_code = tn_window_outputs_close(&run->outputs);
    tn_sources_release(&run->sources);
    tn_window_close(run->window);
    if (run->command->state_path != NULL)
        state_code = tn_window_state_close(&run->state);
    else
        (void)tarn_close(run->store); /* in memory: nothing to lose */
    if (output_code == TN_EXIT_DONE)
        output_code = state_code;
    if (exit_code == TN_EXIT_DONE || (exit_code == TN_EXIT_FAILED && output_code == TN_EXIT_PIPE))
        return output_code;
    return exit_code;
}

int tn_window_run(const struct tn_window_command *command)
{
    struct run run = { .command = command };
    struct stat status;
    bool state_exists = command->state_path != NULL && stat(command->state_path, &status) == 0;
    int exit_code;

    if (!state_exists && !tn_inputs_exist(command)) /* a finished state needs none */
        return TN_EXIT_REFUSED;
    if (!tn_outputs_are_files_of_their_own(command))
        return TN_EXIT_USAGE;
    exit_code = run_open(&run);
    if (exit_code == TN_WINDOW_GOES_ON && state_exists && !tn_inputs_exist(command))
        exit_code = TN_EXIT_REFUSED;
    if (exit_code == TN_WINDOW_GOES_ON)
        exit_code = run_begin(&run);
    if (exit_code == TN_WINDOW_GOES_ON)
        exit_code = run_rows_to_end(&run);
    if (exit_code == TN_WINDOW_GOES_ON)
        exit_code = run_finish(&run);
    return run_close(&run, exit_code);
}
