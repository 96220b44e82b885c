/*
 * test_log_format.c - docs/FORMAT.md, part 1, says what is in a store's files
 *
 *     test_log_format              the example of the text, byte by byte, and structures one by one
 *     test_log_format --make DIR SEED   a store in DIR, for read_store.py, which was written from the text
 *     test_log_format --list DIR   what a replay of that store gives, in the reader's words
 */
#include "log/format.h"
#include "log_fixture.h"
#include "log_forge.h"

static const uint8_t store_id[TN_LOG_STORE_ID_BYTES] = { 1, 2, 3 };

/* ---- the example ----------------------------------------------------------------------------- */

/* What the text says is in it. */
static int example_commit(struct tn_log *log)
{
    const struct tn_log_commit commit = {
        .number = 1,
        .tick = 3,
        .next_table_id = 2,
        .cursor = { 0, 1, 7 },
        .note = { "n1", 2 },
    };
    int result = tn_log_begin(log, 0, 0);

    if (result == TARN_OK)
        result =
            tn_log_add(log, TN_LOG_DELTA, 1, (tarn_bytes){ "k", 1 }, (tarn_bytes){ "value", 5 });
    return result == TARN_OK ? tn_log_end(log, &commit) : result;
}

/* Lines like '01000  74 61  what it is' in a file of zeros; the bytes up to the last of them. */
static uint64_t example_read(uint8_t *to, uint64_t bytes_max)
{
    const char *source_dir = getenv("SOURCE_DIR");
    char path[1024], line[256];
    uint64_t end = 0;
    FILE *text;

    snprintf(path, sizeof path, "%s/docs/FORMAT.md", source_dir != NULL ? source_dir : ".");
    text = fopen(path, "r");
    check(text != NULL);
    while (text != NULL && fgets(line, sizeof line, text) != NULL) {
        unsigned offset, byte;
        int at = 0, next = 0;

        if (sscanf(line, "%5x %n", &offset, &at) != 1 || at != 7 || strncmp(line + 5, "  ", 2) != 0)
            continue;
        for (; sscanf(line + at, "%2x%n", &byte, &next) == 1 && next == 2; at += 3) {
            check(offset < bytes_max);
            to[offset++ % bytes_max] = (uint8_t)byte;
            end = offset;
            if (line[at + 2] != ' ' || line[at + 3] == ' ')
                break;
        }
    }
    if (text != NULL)
        fclose(text);
    return end;
}

static void the_example_of_the_text_is_what_is_written(void)
{
    uint8_t *wanted = calloc(1, 65536);
    uint64_t bytes, file_bytes = 0;
    const uint8_t *data;
    struct rig r;
    unsigned i;

    rig_init(&r, &(struct tn_simulated_options){ .seed = 1 });
    for (i = 0; i < TN_LOG_SECRET_BYTES; i++)
        r.secret[i] = (uint8_t)i;
    check_ok(rig_open(&r));
    check_ok(example_commit(r.log));
    check_ok(rig_close(&r, true));
    bytes = example_read(wanted, 65536);
    data = tn_disk_file_data(tn_simulated_disk(r.simulated), rig_file(&r, 1), &file_bytes);
    check_bytes(data, file_bytes, wanted, bytes);
    if (getenv("PRINT") != NULL) /* to make the example anew */
        fwrite(data, 1, file_bytes, stderr);
    free(wanted);
    rig_end(&r);
}

/* ---- structures ------------------------------------------------------------------------------ */

static struct tn_log_footer footer_random(uint64_t *random)
{
    struct tn_log_footer footer = { .incarnation = test_random(random) };
    struct tn_log_shape shape;
    unsigned part;

    footer.number = 1 + test_random(random) % 1000;
    for (part = 0; part < TN_LOG_PART_COUNT; part++) {
        footer.part_counts[part] = test_random(random) % 100;
        footer.part_bytes[part] = footer.part_counts[part] * (16 + test_random(random) % 50 * 8);
        if (test_random(random) % 2 == 0) /* a section may have more than 4 GiB */
            footer.part_bytes[part] += (test_random(random) % 1000) << 32;
    }
    footer.note_bytes = (uint32_t)(test_random(random) % 100);
    footer.hash_version = (uint32_t)test_random(random);
    footer.table_checksum = test_random(random);
    footer.previous = test_random(random);
    footer.first_needed = 1 + test_random(random) % footer.number;
    footer.synced_through = test_random(random) % footer.number;
    footer.before = (struct tn_log_cursor){ 4, test_random(random), test_random(random) };
    footer.after = (struct tn_log_cursor){ 5, test_random(random), test_random(random) };
    footer.next_table_id = test_random(random) >> 2;
    footer.tick = test_random(random) >> 2;
    footer.clock = test_random(random);
    tn_log_shape(&shape, &footer);
    footer.section_bytes = shape.footer_at + TN_LOG_FOOTER_BYTES;
    return footer;
}

static void a_footer_is_decoded_as_it_was_encoded_and_any_flip_is_seen(void)
{
    uint64_t random = test_seed();
    uint8_t bytes[TN_LOG_FOOTER_BYTES], again[TN_LOG_FOOTER_BYTES];
    struct tn_log_footer footer, decoded;
    unsigned i, bit;

    for (i = 0; i < 50; i++) {
        footer = footer_random(&random);
        tn_log_footer_encode(bytes, &footer, store_id);
        check(tn_log_footer_decode(&decoded, bytes, store_id));
        check_eq(decoded.identity, footer.identity);
        tn_log_footer_encode(again, &decoded, store_id); /* F1 */
        check_bytes(again, sizeof again, bytes, sizeof bytes);
        for (bit = 0; bit < 8 * sizeof bytes; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            check(!tn_log_footer_decode(&decoded, bytes, store_id));
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* Checksums are right, what they cover is not. */
static void a_footer_that_lies_does_not_hold(void)
{
    uint64_t random = test_seed();
    const struct tn_log_footer good = footer_random(&random);
    struct tn_log_footer bad[15], decoded;
    uint8_t bytes[TN_LOG_FOOTER_BYTES];
    unsigned i;

    for (i = 0; i < TN_ARRAY_COUNT(bad); i++)
        bad[i] = good;
    bad[0].section_bytes += 64;
    bad[1].section_bytes = UINT64_MAX - 63;
    bad[2].part_bytes[1] = UINT64_MAX - 7;
    bad[3].part_counts[0] = bad[3].part_bytes[0] / 16 + 1;
    bad[4].note_bytes = TARN_NOTE_BYTES_MAX + 1;
    bad[5].number = 0;
    bad[6].first_needed = good.number + 1;
    bad[7].first_needed = 0;
    bad[8].synced_through = good.number;
    bad[9].after.revolution = 3;
    bad[10].tick = UINT64_MAX;
    bad[11].next_table_id = UINT64_MAX;
    bad[12].number = UINT64_MAX;
    bad[13].after.revolution = UINT64_MAX;
    bad[14].part_bytes[2] += 4;
    for (i = 0; i < TN_ARRAY_COUNT(bad); i++) {
        tn_log_footer_encode(bytes, &bad[i], store_id);
        if (tn_log_footer_decode(&decoded, bytes, store_id))
            test_fail(__FILE__, __LINE__, "lie %u is believed", i);
    }
}

/* Zeros are for what is to come: who writes something there is of another version. */
static void what_should_be_zero_and_is_not_does_not_hold(void)
{
    uint8_t bytes[TN_LOG_HEADER_BYTES], footer_bytes[TN_LOG_FOOTER_BYTES];
    uint64_t random = test_seed();
    struct tn_log_footer footer = footer_random(&random);
    struct tn_log_header header = { .incarnation = 7, .file = 9 };
    unsigned at;

    for (at = 104; at < TN_LOG_HEADER_BYTES; at += 61) {
        tn_log_header_encode(bytes, &header);
        bytes[at] = 1;
        forge_repair(bytes, sizeof bytes, store_id);
        check_eq(tn_log_header_decode(&header, bytes), TARN_E_CORRUPT);
    }
    for (at = 200; at < TN_LOG_FOOTER_BYTES; at++) {
        tn_log_footer_encode(footer_bytes, &footer, store_id);
        forge_footer(footer_bytes, store_id);
        check(tn_log_footer_decode(&footer, footer_bytes, store_id));
        footer_bytes[at] = 1;
        forge_footer(footer_bytes, store_id);
        check(!tn_log_footer_decode(&footer, footer_bytes, store_id));
    }
}

static void a_mark_and_a_header_are_decoded_as_encoded_and_any_flip_is_seen(void)
{
    uint8_t mark_bytes[TN_LOG_MARK_BYTES], header_bytes[TN_LOG_HEADER_BYTES];
    struct tn_log_mark mark = { 1, 2, 3 }, mark_decoded;
    struct tn_log_header header = { .incarnation = 7, .file = 9 }, header_decoded;
    unsigned bit;

    memset(header.secret, 4, sizeof header.secret);
    tn_log_mark_encode(mark_bytes, &mark, store_id);
    check(tn_log_mark_decode(&mark_decoded, mark_bytes, store_id));
    check_bytes(&mark_decoded, sizeof mark, &mark, sizeof mark);
    for (bit = 0; bit < 8 * sizeof mark_bytes; bit++) {
        mark_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        check(!tn_log_mark_decode(&mark_decoded, mark_bytes, store_id));
        mark_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    mark.number = 0; /* of no commit, however right its checksum */
    tn_log_mark_encode(mark_bytes, &mark, store_id);
    check(!tn_log_mark_decode(&mark_decoded, mark_bytes, store_id));
    mark.number = UINT64_MAX;
    tn_log_mark_encode(mark_bytes, &mark, store_id);
    check(!tn_log_mark_decode(&mark_decoded, mark_bytes, store_id));
    tn_log_header_encode(header_bytes, &header);
    check_ok(tn_log_header_decode(&header_decoded, header_bytes));
    check_bytes(&header_decoded, sizeof header, &header, sizeof header);
    for (bit = 0; bit < 8 * sizeof header_bytes; bit++) {
        header_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        check_eq(tn_log_header_decode(&header_decoded, header_bytes), TARN_E_CORRUPT);
        header_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void names_are_16_hexadecimal_digits_and_nothing_else_is_a_name(void)
{
    static const char *const foreign[] = {
        "",
        "lock",
        "0000000000000001",
        "0000000000000001.tarn~",
        "000000000000001.tarn",
        "000000000000000A.tarn",
        "000000000000000g.tarn",
        "0000000000000000.tarn",
        "ffffffffffffffff.tarn",
        "0000000000000001.tarm",
        "-000000000000001.tarn",
    };
    char name[TN_LOG_NAME_BYTES];
    uint64_t number;
    size_t i;

    for (number = 1; number <= TN_LOG_NUMBER_MAX; number = number * 3 + 1) {
        tn_log_name(name, number);
        check_eq(strlen(name), 21);
        check_eq(tn_log_name_number(name), number);
    }
    for (i = 0; i < TN_ARRAY_COUNT(foreign); i++)
        check_eq(tn_log_name_number(foreign[i]), 0);
}

static void an_entry_that_does_not_fit_or_is_of_another_kind_is_refused(void)
{
    struct tn_log_entry_head head = { 100, 9, TN_LOG_ENTRY, 5 }, decoded;
    uint8_t bytes[TN_LOG_ENTRY_HEAD_BYTES];
    uint64_t size = tn_log_entry_bytes(9, 100);

    tn_log_entry_head_encode(bytes, &head);
    check_eq(size, 16 + 16 + 104);
    check_ok(tn_log_entry_head_decode(&decoded, bytes, size, TN_LOG_ENTRY));
    check(decoded.value_bytes == 100 && decoded.key_bytes == 9 && decoded.table_id == 5);
    check_eq(tn_log_entry_head_decode(&decoded, bytes, size - 1, TN_LOG_ENTRY), TARN_E_CORRUPT);
    check_eq(tn_log_entry_head_decode(&decoded, bytes, 15, TN_LOG_ENTRY), TARN_E_CORRUPT);
    check_eq(tn_log_entry_head_decode(&decoded, bytes, size, TN_LOG_TOMBSTONE), TARN_E_CORRUPT);
    bytes[7] = 1; /* a deadline: of another release */
    check_eq(tn_log_entry_head_decode(&decoded, bytes, size, TN_LOG_ENTRY), TARN_E_VERSION);
    head = (struct tn_log_entry_head){ 1, 9, TN_LOG_TOMBSTONE, 5 };
    tn_log_entry_head_encode(bytes, &head);
    check_eq(tn_log_entry_head_decode(&decoded, bytes, size, TN_LOG_TOMBSTONE), TARN_E_CORRUPT);
}

/* ---- for the reader -------------------------------------------------------------------------- */

static int posix_make(const char *path, uint64_t seed)
{
    uint64_t random = seed;
    struct rig r;
    unsigned i;

    rig_init(&r, NULL);
    r.os = tn_os_posix;
    r.path = path;
    r.options.file_bytes_min = 8192;
    check_ok(rig_open(&r));
    for (i = 0; i < 40; i++) {
        rig_put(&r, (unsigned)(test_random(&random) % RIG_KEYS),
                test_random(&random) % 4 ? test_random(&random) | 1 : 0,
                test_random(&random) % (i == 20 ? 40000 : 300));
        check_ok(rig_commit(&r, test_random(&random) % 4 == 0));
        if (i == 30) {
            check_ok(rig_close(&r, false));
            check_ok(rig_open(&r));
        }
        if (seed % 2 == 0)
            check_ok(tn_log_trim(r.log));
    }
    check_ok(rig_close(&r, seed % 3 == 0));
    rig_end(&r);
    return test_failures != 0;
}

static void print_hex(const void *data, size_t bytes)
{
    size_t i;

    for (i = 0; i < bytes; i++)
        printf("%02x", ((const uint8_t *)data)[i]);
}

static int posix_list(const char *path)
{
    struct rig r;
    unsigned key;
    int result;

    rig_init(&r, NULL);
    r.os = tn_os_posix;
    r.path = path;
    r.options.read_only = true;
    result = rig_read(&r);
    if (result == TARN_OK) {
        printf("commit %d ", (int)tn_log_last(r.log)->number);
        print_hex(tn_log_last(r.log)->note.data, tn_log_last(r.log)->note.bytes);
        putchar('\n');
    }
    for (key = 0; key < RIG_KEYS && result == TARN_OK; key++) {
        uint8_t *value = rig_scratch(&r, r.state.sizes[key] + 8);

        if (r.state.seeds[key] == 0)
            continue;
        memcpy(value, &r.state.seeds[key], 8);
        rig_value(value + 8, r.state.seeds[key], r.state.sizes[key] - 8);
        printf("entry 1 %02x ", key);
        print_hex(value, r.state.sizes[key]);
        putchar('\n');
    }
    rig_end(&r);
    return result != TARN_OK || test_failures != 0;
}

static const struct test tests[] = {
    T(the_example_of_the_text_is_what_is_written),
    T(a_footer_is_decoded_as_it_was_encoded_and_any_flip_is_seen),
    T(a_footer_that_lies_does_not_hold),
    T(what_should_be_zero_and_is_not_does_not_hold),
    T(a_mark_and_a_header_are_decoded_as_encoded_and_any_flip_is_seen),
    T(names_are_16_hexadecimal_digits_and_nothing_else_is_a_name),
    T(an_entry_that_does_not_fit_or_is_of_another_kind_is_refused),
};

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--make") == 0)
        return posix_make(argv[2], strtoull(argv[3], NULL, 0));
    if (argc == 3 && strcmp(argv[1], "--list") == 0)
        return posix_list(argv[2]);
    return test_main(tests, TN_ARRAY_COUNT(tests), argc, argv);
}
