/*
 * json.cpp - see json.h for the rules
 *
 * simdjson's on-demand iterator walks the keys of the object once. Objects of one stream are nearly
 * always written by one program, so the n-th key is what it was in the object before: it is
 * compared with that first, and only a miss looks through the wanted keys.
 */
#define SIMDJSON_EXCEPTIONS 0

#include "io/json.h"

#include <simdjson.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace
{

using simdjson::error_code;
using std::string_view;
namespace ondemand = simdjson::ondemand;

static_assert(TN_JSON_PADDING_BYTES >= simdjson::SIMDJSON_PADDING, "text is padded enough");

constexpr size_t guess_bytes_max = 32;
constexpr size_t guess_count_max = 64;
constexpr size_t capacity_bytes_min = 64 * 1024;
constexpr int not_wanted = -1;

/*
 * What the n-th key of the object before was, its closing quote included. It is compared as four
 * words at once, without a branch for its length: the masks let only its own bytes count.
 */
struct guess {
    bool known;
    int slot; /* index of the wanted key, or not_wanted */
    uint64_t words[guess_bytes_max / 8];
    uint64_t masks[guess_bytes_max / 8];
};

struct span {
    char *data;
    size_t bytes;
};

} // namespace

struct tn_json {
    ondemand::parser parser;
    simdjson::dom::parser checker; /* of wanted nested values */
    const char *const *keys;
    size_t key_count;
    size_t *key_bytes;
    int *first_alike; /* the first wanted key with the same name */
    uint64_t *seen;   /* by slot: number of the object that had it last */
    uint64_t object_number;
    size_t capacity;
    span scratch; /* unescaped strings of this object */
    size_t scratch_used;
    guess guesses[guess_count_max];
};

namespace
{

/* ---- reasons --------------------------------------------------------------------------------- */

const char *sentence(error_code error)
{
    switch (error) {
    case simdjson::UTF8_ERROR:
        return "invalid UTF-8";
    case simdjson::UNCLOSED_STRING:
        return "a string is not closed";
    case simdjson::UNESCAPED_CHARS:
        return "a control character inside a string";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
        return "the object is not closed";
    case simdjson::DEPTH_ERROR:
        return "nested too deeply";
    case simdjson::CAPACITY:
        return "too long for JSON";
    default:
        return "invalid JSON";
    }
}

int bad(tn_reason *reason, error_code error)
{
    if (error == simdjson::MEMALLOC)
        return TN_JSON_NO_MEMORY;
    tn_reason_set(reason, "%s", sentence(error));
    return TN_JSON_BAD;
}

int bad_value(const tn_json *json, int slot, const char *what, string_view text, tn_reason *reason)
{
    const char *key = json->keys[slot];

    tn_reason_set(reason, "the value of ");
    tn_reason_add_quoted(reason, key, strlen(key), 60);
    tn_reason_add(reason, " is %s: ", what);
    tn_reason_add_quoted(reason, text.data(), text.size(), 60);
    return TN_JSON_BAD;
}

/* ---- strings --------------------------------------------------------------------------------- */

int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four hex digits at `at`; -1: they are not. */
int32_t code_unit(string_view text, size_t at)
{
    int32_t unit = 0;

    if (at + 4 > text.size())
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        int digit = hex_digit(text[i]);

        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

char *put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = static_cast<char>(code);
        return to;
    }
    if (code < 0x800) {
        *to++ = static_cast<char>(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *to++ = static_cast<char>(0xE0 | code >> 12);
        } else {
            *to++ = static_cast<char>(0xF0 | code >> 18);
            *to++ = static_cast<char>(0x80 | (code >> 12 & 0x3F));
        }
        *to++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    }
    *to++ = static_cast<char>(0x80 | (code & 0x3F));
    return to;
}

/* The code point of the \u at text[at] ('u' itself); *at moves to its last digit. -1: none, J2. */
int32_t code_point(string_view text, size_t *at)
{
    int32_t high = code_unit(text, *at + 1), low;

    *at += 4;
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    if (high > 0xDBFF || *at + 2 >= text.size() || text[*at + 1] != '\\' || text[*at + 2] != 'u')
        return -1;
    low = code_unit(text, *at + 3);
    *at += 6;
    if (low < 0xDC00 || low > 0xDFFF)
        return -1;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* The text between the quotes with its escapes undone, into `to`. false: a wrong escape. */
bool unescape(string_view text, char *to, size_t *out_bytes)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    char *next = to;

    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] != '\\') {
            *next++ = text[i];
            continue;
        }
        if (++i == text.size())
            return false;
        if (text[i] == 'u') {
            int32_t code = code_point(text, &i);

            if (code < 0)
                return false;
            next = put_utf8(next, static_cast<uint32_t>(code));
            continue;
        }
        const char *name = text[i] != '\0' ? strchr(names, text[i]) : nullptr;

        if (name == nullptr)
            return false;
        *next++ = values[name - names];
    }
    *out_bytes = static_cast<size_t>(next - to);
    return true;
}

/* Room for all unescaped strings of an object of `bytes` bytes. Moves nothing that is in use. */
bool scratch_reserve(tn_json *json, size_t bytes)
{
    if (json->scratch.bytes >= bytes)
        return true;
    size_t wanted = bytes + bytes / 2;
    char *data = static_cast<char *>(malloc(wanted));

    if (data == nullptr)
        return false;
    free(json->scratch.data);
    json->scratch.data = data;
    json->scratch.bytes = wanted;
    return true;
}

/* ---- values ---------------------------------------------------------------------------------- */

string_view trimmed(string_view text)
{
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' ||
                             text.back() == '\n'))
        text.remove_suffix(1);
    return text;
}

size_t digits(string_view text, size_t at)
{
    while (at < text.size() && text[at] >= '0' && text[at] <= '9')
        at++;
    return at;
}

/* The grammar of RFC 8259. */
bool is_number(string_view text)
{
    size_t at = !text.empty() && text[0] == '-', from = at;

    at = digits(text, at);
    if (at == from || (text[from] == '0' && at > from + 1))
        return false;
    if (at < text.size() && text[at] == '.') {
        from = ++at;
        at = digits(text, at);
        if (at == from)
            return false;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        at += at < text.size() && (text[at] == '+' || text[at] == '-');
        from = at;
        at = digits(text, at);
        if (at == from)
            return false;
    }
    return at == text.size();
}

int take_string(tn_json *json, int slot, string_view token, tarn_bytes *out, tn_reason *reason)
{
    size_t bytes;

    if (token.size() < 2 || token.back() != '"')
        return bad_value(json, slot, "not a string", token, reason);
    string_view text = token.substr(1, token.size() - 2);

    if (text.empty() || memchr(text.data(), '\\', text.size()) == nullptr) {
        *out = { text.data(), text.size() };
        return TN_JSON_OBJECT;
    }
    char *to = json->scratch.data + json->scratch_used;

    if (!unescape(text, to, &bytes))
        return bad_value(json, slot, "a string with a wrong escape", token, reason);
    json->scratch_used += bytes;
    *out = { to, bytes };
    return TN_JSON_OBJECT;
}

simdjson::simdjson_result<string_view> source_text(ondemand::value &value, char opening)
{
    ondemand::object object;
    ondemand::array array;
    error_code error =
        opening == '{' ? value.get_object().get(object) : value.get_array().get(array);

    if (error)
        return error;
    return opening == '{' ? object.raw_json() : array.raw_json();
}

int take_nested(tn_json *json, int slot, ondemand::value &value, char opening, tarn_bytes *out,
                tn_reason *reason)
{
    string_view text;
    simdjson::dom::element element;
    error_code error = source_text(value, opening).get(text);

    if (error)
        return bad(reason, error);
    text = trimmed(text);
    error = json->checker.parse(text.data(), text.size(), false).get(element);
    if (error == simdjson::MEMALLOC)
        return TN_JSON_NO_MEMORY;
    if (error)
        return bad_value(json, slot, sentence(error), text, reason);
    *out = { text.data(), text.size() };
    return TN_JSON_OBJECT;
}

int take_value(tn_json *json, int slot, ondemand::value &value, tarn_bytes *out, tn_reason *reason)
{
    string_view token = trimmed(value.raw_json_token());

    if (token.empty())
        return bad(reason, simdjson::TAPE_ERROR);
    if (token[0] == '"')
        return take_string(json, slot, token, out, reason);
    if (token[0] == '{' || token[0] == '[')
        return take_nested(json, slot, value, token[0], out, reason);
    if (token == "null") {
        *out = { "", 0 };
        return TN_JSON_OBJECT;
    }
    if (token != "true" && token != "false" && !is_number(token))
        return bad_value(json, slot, "not JSON", token, reason);
    *out = { token.data(), token.size() };
    return TN_JSON_OBJECT;
}

/* ---- keys ------------------------------------------------------------------------------------ */

int find_slot(const tn_json *json, string_view key)
{
    for (size_t i = 0; i < json->key_count; i++)
        if (json->key_bytes[i] == key.size() && memcmp(json->keys[i], key.data(), key.size()) == 0)
            return static_cast<int>(i);
    return not_wanted;
}

void remember(guess *guess, string_view key, int slot)
{
    guess->known = key.size() <= guess_bytes_max;
    if (!guess->known)
        return;
    guess->slot = slot;
    memset(guess->words, 0, sizeof guess->words);
    memset(guess->masks, 0, sizeof guess->masks);
    memcpy(guess->words, key.data(), key.size());
    memset(guess->masks, 0xFF, key.size());
}

/* Up to guess_bytes_max bytes from `key` on are read: text is padded. */
bool is_guessed(const guess *guess, const char *key)
{
    uint64_t words[guess_bytes_max / 8], differences = 0;

    memcpy(words, key, sizeof words);
    for (size_t i = 0; i < guess_bytes_max / 8; i++)
        differences |= (words[i] ^ guess->words[i]) & guess->masks[i];
    return guess->known && differences == 0;
}

/* Look a key up that was not guessed; `key` begins behind its opening quote. -2: a wrong escape. */
int look_up(tn_json *json, const char *key, guess *guess)
{
    const char *end = key;
    bool escaped = false;
    size_t bytes;

    for (; *end != '"'; end++) /* there is one: strings are known to be closed */
        if (*end == '\\') {
            escaped = true;
            end++;
        }
    string_view text(key, static_cast<size_t>(end - key));

    if (escaped) {
        char *to = json->scratch.data + json->scratch_used;

        return unescape(text, to, &bytes) ? find_slot(json, { to, bytes }) : -2;
    }
    int slot = find_slot(json, text);

    if (guess != nullptr)
        remember(guess, string_view(key, text.size() + 1), slot);
    return slot;
}

int key_slot(tn_json *json, const char *key, size_t number)
{
    guess *guess = number < guess_count_max ? &json->guesses[number] : nullptr;

    if (TN_LIKELY(guess != nullptr && is_guessed(guess, key)))
        return guess->slot;
    return look_up(json, key, guess);
}

/* ---- objects --------------------------------------------------------------------------------- */

int read_field(tn_json *json, ondemand::field &field, size_t number, tarn_bytes *out,
               tn_reason *reason)
{
    int slot = key_slot(json, field.key().raw(), number);

    if (slot == not_wanted) {
        /* simdjson passes over a bracket that closes nothing, and then reads behind the text. */
        if (strchr("]},:", field.value().raw_json_token()[0]) == nullptr)
            return TN_JSON_OBJECT;
        tn_reason_set(reason, "a key without a value");
        return TN_JSON_BAD;
    }
    if (slot < not_wanted) {
        tn_reason_set(reason, "a key with a wrong escape");
        return TN_JSON_BAD;
    }
    if (json->seen[slot] == json->object_number) { /* J3 */
        tn_reason_set(reason, "the key ");
        tn_reason_add_quoted(reason, json->keys[slot], json->key_bytes[slot], 60);
        tn_reason_add(reason, " appears twice");
        return TN_JSON_BAD;
    }
    json->seen[slot] = json->object_number;
    return take_value(json, slot, field.value(), &out[slot], reason);
}

int read_fields(tn_json *json, ondemand::document &document, tarn_bytes *out, tn_reason *reason)
{
    ondemand::object object;
    error_code error = document.get_object().get(object);
    size_t number = 0;

    if (error == simdjson::INCORRECT_TYPE) {
        tn_reason_set(reason, "not a JSON object");
        return TN_JSON_BAD;
    }
    if (error)
        return bad(reason, error);
    for (auto result : object) {
        ondemand::field field;

        error = std::move(result).get(field);
        if (error)
            return bad(reason, error);
        int answer = read_field(json, field, number++, out, reason);

        if (answer != TN_JSON_OBJECT)
            return answer;
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
        tn_reason_set(reason, "something follows the object");
        return TN_JSON_BAD;
    }
    return TN_JSON_OBJECT;
}

/* simdjson grows to the very size asked for; growing by doubling keeps that rare. */
error_code reserve(tn_json *json, size_t bytes)
{
    size_t wanted = json->capacity * 2 > bytes ? json->capacity * 2 : bytes;

    if (TN_LIKELY(bytes <= json->capacity))
        return simdjson::SUCCESS;
    if (wanted < capacity_bytes_min)
        wanted = capacity_bytes_min;
    json->capacity = 0;
    error_code error = json->parser.allocate(wanted);

    if (!error)
        json->capacity = wanted;
    return error;
}

} // namespace

/* ---- the C face ------------------------------------------------------------------------------ */

struct tn_json *tn_json_open(const char *const *keys, size_t key_count)
{
    tn_json *json = new (std::nothrow) tn_json();

    if (json == nullptr)
        return nullptr;
    json->keys = keys;
    json->key_count = key_count;
    json->key_bytes = static_cast<size_t *>(calloc(key_count + 1, sizeof *json->key_bytes));
    json->first_alike = static_cast<int *>(calloc(key_count + 1, sizeof *json->first_alike));
    json->seen = static_cast<uint64_t *>(calloc(key_count + 1, sizeof *json->seen));
    if (json->key_bytes == nullptr || json->first_alike == nullptr || json->seen == nullptr) {
        tn_json_close(json);
        return nullptr;
    }
    for (size_t i = 0; i < key_count; i++)
        json->key_bytes[i] = strlen(keys[i]);
    for (size_t i = 0; i < key_count; i++)
        json->first_alike[i] = find_slot(json, { keys[i], json->key_bytes[i] });
    return json;
}

int tn_json_read(struct tn_json *json, const char *text, size_t bytes, tarn_bytes *out,
                 struct tn_reason *reason)
{
    ondemand::document document;
    error_code error = reserve(json, bytes);

    if (error || !scratch_reserve(json, bytes))
        return error ? bad(reason, error) : static_cast<int>(TN_JSON_NO_MEMORY);
    json->object_number++;
    json->scratch_used = 0;
    for (size_t i = 0; i < json->key_count; i++)
        out[i] = { "", 0 };
    error = json->parser
                .iterate(simdjson::padded_string_view(text, bytes, bytes + TN_JSON_PADDING_BYTES))
                .get(document);
    if (error)
        return bad(reason, error);
    int answer = read_fields(json, document, out, reason);

    for (size_t i = 0; i < json->key_count && answer == TN_JSON_OBJECT; i++)
        out[i] = out[json->first_alike[i]];
    return answer;
}

void tn_json_close(struct tn_json *json)
{
    if (json == nullptr)
        return;
    free(json->key_bytes);
    free(json->first_alike);
    free(json->seen);
    free(json->scratch.data);
    delete json;
}
