/* frame_values.c — what the text of a cell stands for, and the type of a column. */
#include "frame.h"
#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_spaces(const char *text)
{
    while (is_space(*text))
        text++;
    return text;
}

static bool ends_here(const char *text)
{
    return !*skip_spaces(text);
}

bool ursa_read_integer(const char *text, int64_t *out)
{
    const char *begin = skip_spaces(text);
    const char *digits = begin + (*begin == '-' || *begin == '+');
    char *end;
    if (!isdigit((unsigned char)*digits))
        return false;
    errno = 0;
    long long value = strtoll(begin, &end, 10);
    *out = value;
    return errno == 0 && ends_here(end);
}

static bool read_infinity(const char *text, double *out)
{
    bool negative = *text == '-';
    text += *text == '-' || *text == '+';
    size_t length = strncasecmp(text, "infinity", 8) == 0 ? 8 : strncasecmp(text, "inf", 3) == 0 ? 3 : 0;
    *out = negative ? -(double)INFINITY : (double)INFINITY;
    return length && ends_here(text + length);
}

/* Digits, a point, an exponent: strtod() alone would take hexadecimal numbers and NaNs too. */
static bool looks_like_number(const char *text)
{
    bool digit = false;
    for (; *text && !is_space(*text); text++) {
        digit = digit || isdigit((unsigned char)*text);
        if (!isdigit((unsigned char)*text) && !strchr("+-.eE", *text))
            return false;
    }
    return digit;
}

static locale_t plain;

static void make_plain(void)
{
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* strtod() with the point as decimal separator, whatever the program's language is. */
static double read_decimal(const char *text, char **end)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_plain);
    return plain ? strtod_l(text, end, plain) : strtod(text, end);
}

bool ursa_read_number(const char *text, double *out)
{
    char *end;
    const char *begin = skip_spaces(text);
    if (!looks_like_number(begin))
        return read_infinity(begin, out);
    *out = read_decimal(begin, &end);
    return end != begin && ends_here(end);
}

bool ursa_read_bool(const char *text, bool *out)
{
    static const char *const words[] = {"False", "True", "false", "true", "FALSE", "TRUE"};
    for (int i = 0; i < 6; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i % 2;
            return true;
        }
    }
    return false;
}

static bool has_type(const char *text, ursa_column_type type)
{
    bool truth;
    int64_t integer;
    double number;
    switch (type) {
    case URSA_COLUMN_BOOL:
        return ursa_read_bool(text, &truth);
    case URSA_COLUMN_INT:
        return ursa_read_integer(text, &integer);
    case URSA_COLUMN_FLOAT:
        return ursa_read_number(text, &number);
    default:
        return true;
    }
}

/* True for a column in which all cells that are there have the type, and one is there. */
static bool all_have(const char *const *cells, int64_t count, ursa_column_type type)
{
    bool any = false;
    for (int64_t row = 0; row < count; row++) {
        any = any || cells[row];
        if (cells[row] && !has_type(cells[row], type))
            return false;
    }
    return any;
}

ursa_column_type ursa_infer_type(const char *const *cells, int64_t count)
{
    for (ursa_column_type type = URSA_COLUMN_BOOL; type < URSA_COLUMN_TEXT; type++)
        if (all_have(cells, count, type))
            return type;
    bool empty = true;
    for (int64_t row = 0; empty && row < count; row++)
        empty = !cells[row];
    return empty ? URSA_COLUMN_FLOAT : URSA_COLUMN_TEXT;
}

/* False when the text is not of the type; the number is its value. */
static bool value_of(const char *text, ursa_column_type type, double *out)
{
    bool truth = false;
    int64_t integer = 0;
    if (type == URSA_COLUMN_FLOAT)
        return ursa_read_number(text, out);
    bool read = type == URSA_COLUMN_BOOL ? ursa_read_bool(text, &truth) : ursa_read_integer(text, &integer);
    *out = type == URSA_COLUMN_BOOL ? (double)truth : (double)integer;
    return read;
}

int64_t ursa_fill_numbers(ursa_column *column)
{
    if (column->type == URSA_COLUMN_TEXT)
        return -1;
    double *numbers = ursa_alloc_array((size_t)column->count, sizeof *numbers);
    column->numbers = numbers;
    if (!numbers)
        return -2;
    for (int64_t row = 0; row < column->count; row++) {
        numbers[row] = (double)NAN;
        if (column->text[row] && !value_of(column->text[row], column->type, &numbers[row]))
            return row;
    }
    return -1;
}
