/* fuzz_csv.c — tables: read with options that the first byte chooses, looked at, written, and read back the same. */
#include "fuzz.h"

#include <string.h>

static void check(bool right)
{
    if (!right)
        abort();
}

static void compare(const ursa_frame *a, const ursa_frame *b)
{
    check(b && ursa_frame_rows(a) == ursa_frame_rows(b) && ursa_frame_columns(a) == ursa_frame_columns(b));
    for (int c = 0; c < ursa_frame_columns(a); c++) {
        const ursa_column *left = ursa_frame_column_at(a, c), *right = ursa_frame_column_at(b, c);
        for (int64_t row = 0; row < left->count; row++) {
            check(!left->text[row] == !right->text[row]);
            check(!left->text[row] || strcmp(left->text[row], right->text[row]) == 0);
        }
    }
}

static void look_at(const ursa_frame *frame, const ursa_csv_options *options)
{
    int64_t rows = ursa_frame_rows(frame), last = rows - 1;
    free(ursa_frame_head_text(frame, 3, 40));
    char *text = ursa_frame_csv_text(frame, .delimiter = ';');
    check(text);
    ursa_csv_options again = {.delimiter = ';', .only_na_values = options->only_na_values};
    ursa_frame *back = ursa_parse_csv_opt(text, strlen(text), "back", &again);
    compare(frame, back);
    ursa_frame *end = ursa_frame_select(frame, &last, rows > 0);
    check(end && ursa_frame_rows(end) == (rows > 0));
    ursa_frame_free(end);
    ursa_frame_free(back);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {',', ';', '\t', '|'};
    if (size == 0)
        return 0;
    ursa_csv_options options = {
        .delimiter = delimiters[*data & 3],
        .sniff = *data & 4,
        .no_header = *data & 8,
        .latin1 = *data & 16,
        .only_na_values = *data & 32,
        .types = {{*data & 64 ? "a" : NULL, URSA_COLUMN_INT}},
    };
    ursa_frame *frame = ursa_parse_csv_opt((const char *)data + 1, size - 1, "fuzz", &options);
    if (frame)
        look_at(frame, &options);
    ursa_frame_free(frame);
    ursa_clear_error();
    return 0;
}
