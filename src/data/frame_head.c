/* frame_head.c — the first rows of a table as a person wants to see them. */
#include "frame.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_ROWS = 5, DEFAULT_WIDTH = 100, LEAST_WIDTH = 20, WIDEST_CELL = 50, GAP = 2 };

/* ---- widths --------------------------------------------------------------------------- */

/* The code point at `text`, and how many bytes it takes; bytes that are no UTF-8 stand for themselves. */
static unsigned code_point(const char *text, int *bytes)
{
    const unsigned char *c = (const unsigned char *)text;
    int length = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : c[0] >= 0xc0 ? 2 : 1;
    unsigned point = length == 1 ? c[0] : c[0] & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        if ((c[i] & 0xc0) != 0x80) {
            *bytes = 1;
            return c[0];
        }
        point = point << 6 | (c[i] & 0x3f);
    }
    *bytes = length;
    return point;
}

/* Columns on a terminal: none for combining marks, two for the wide characters of East Asia and emoji (the blocks of
 * Unicode's EastAsianWidth that are wide as a whole). */
static int point_width(unsigned point)
{
    static const struct {
        unsigned first, last;
    } wide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
                {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    if ((point >= 0x300 && point <= 0x36f) || (point >= 0x200b && point <= 0x200f) ||
        (point >= 0xfe00 && point <= 0xfe0f))
        return 0;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (point >= wide[i].first && point <= wide[i].last)
            return 2;
    return 1;
}

static int text_width(const char *text)
{
    int width = 0, bytes;
    for (; *text; text += bytes)
        width += point_width(code_point(text, &bytes));
    return width;
}

/* A copy that is safe to print: control characters as \n, \t, \x1b; cut, with an ellipsis, to `width`. */
static char *printable(const char *text, int width)
{
    char *copy = ursa_grow(NULL, 4 * strnlen(text, 16 * (size_t)width + 64) + 8), *to = copy;
    int used = 0, bytes;
    char *keep = copy; /* where the ellipsis would go */
    for (; copy && *text; text += bytes) {
        unsigned point = code_point(text, &bytes);
        bool control = point < 0x20 || point == 0x7f || (point >= 0x80 && point < 0xa0);
        char escape[8];
        snprintf(escape, sizeof escape, point == '\n' ? "\\n" : point == '\t' ? "\\t" : "\\x%02x", point & 0xff);
        int wide = control ? (int)strlen(escape) : point_width(point);
        if (used + wide > width || (size_t)(to - copy) > 16 * (size_t)width) {
            strcpy(keep, "…");
            return copy;
        }
        to = control ? stpcpy(to, escape) : mempcpy(to, text, (size_t)bytes);
        used += wide;
        if (used < width)
            keep = to;
    }
    if (copy)
        *to = 0;
    return copy;
}

/* ---- the table ---------------------------------------------------------------------------- */

/* Texts of rows × columns, the first row the header and the first column the numbers of the rows. */
struct table {
    char **cells;
    int *width; /* of each column */
    int64_t rows;
    int columns;
};

static void free_table(struct table *table)
{
    for (int64_t i = 0; table->cells && i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table->width);
}

static bool put(struct table *table, int64_t row, int column, const char *text)
{
    char *copy = printable(text, WIDEST_CELL);
    table->cells[row * table->columns + column] = copy;
    int width = copy ? text_width(copy) : 0;
    table->width[column] = width > table->width[column] ? width : table->width[column];
    return copy;
}

static bool fill_row_numbers(struct table *table)
{
    bool filled = put(table, 0, 0, "");
    for (int64_t row = 1; filled && row < table->rows; row++) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)row - 1);
        filled = put(table, row, 0, number);
    }
    return filled;
}

/* `chosen`: columns of the frame, -1 for the ellipsis. */
static bool fill_table(struct table *table, const ursa_frame *frame, const int *chosen)
{
    table->cells = ursa_alloc_array((size_t)table->rows * (size_t)table->columns, sizeof *table->cells);
    table->width = ursa_alloc_array((size_t)table->columns, sizeof *table->width);
    bool filled = table->cells && table->width && fill_row_numbers(table);
    for (int c = 1; filled && c < table->columns; c++) {
        const ursa_column *column = chosen[c - 1] < 0 ? NULL : &frame->columns[chosen[c - 1]];
        filled = put(table, 0, c, column ? column->name : "…");
        for (int64_t row = 1; filled && row < table->rows; row++) {
            const char *text = column ? column->text[row - 1] : "…";
            filled = put(table, row, c, text ? text : "NaN");
        }
    }
    return filled;
}

/* The first and last columns in turns, as many as fit beside an ellipsis; returns how many, with it. */
static int choose_columns(const ursa_frame *frame, const int *widths, int width, int *chosen)
{
    int used = GAP + 1, first = 0, last = frame->column_count;
    while (first < last) {
        bool left = first <= frame->column_count - last;
        int next = left ? first : last - 1;
        if (used + GAP + widths[next] > width && first > 0)
            break;
        used += GAP + widths[next];
        first += left;
        last -= !left;
    }
    int count = 0;
    for (int c = 0; c < first; c++)
        chosen[count++] = c;
    if (first < last)
        chosen[count++] = -1;
    for (int c = last; c < frame->column_count; c++)
        chosen[count++] = c;
    return count;
}

static int column_width(const ursa_column *column, int64_t rows)
{
    int width = 3; /* NaN */
    for (int64_t row = -1; row < rows; row++) {
        const char *text = row < 0 ? column->name : column->text[row];
        char *shown = text ? printable(text, WIDEST_CELL) : NULL;
        int wide = shown ? text_width(shown) : 0;
        width = wide > width ? wide : width;
        free(shown);
    }
    return width;
}

static void write_cell(FILE *out, const char *text, int width, bool left)
{
    int pad = width - text_width(text);
    fprintf(out, "%*s%s%*s", left ? 0 : pad, "", text, left ? pad : 0, "");
}

static void write_table(FILE *out, const struct table *table)
{
    for (int64_t row = 0; row < table->rows; row++) {
        write_cell(out, table->cells[row * table->columns], table->width[0], true);
        for (int c = 1; c < table->columns; c++) {
            fprintf(out, "%*s", GAP, "");
            write_cell(out, table->cells[row * table->columns + c], table->width[c], false);
        }
        fputc('\n', out);
    }
}

static void write_size(FILE *out, const ursa_frame *frame, int64_t rows)
{
    fprintf(out, "\n[");
    if (rows < frame->rows)
        fprintf(out, "%lld of ", (long long)rows);
    fprintf(out, "%lld row%s × %d column%s]\n", (long long)frame->rows, frame->rows == 1 ? "" : "s",
            frame->column_count, frame->column_count == 1 ? "" : "s");
}

/* The columns that fit, in `chosen`; their number, or -1 without memory. */
static int fit_columns(const ursa_frame *frame, int64_t rows, int width, int *chosen)
{
    int *widths = ursa_alloc_array((size_t)frame->column_count, sizeof *widths);
    /* No more columns than characters can be shown, so no more need be measured at either end. */
    for (int c = 0; widths && c < frame->column_count; c++)
        if (c < width || c >= frame->column_count - width)
            widths[c] = column_width(&frame->columns[c], rows);
    char number[24];
    int index = snprintf(number, sizeof number, "%lld", (long long)(rows ? rows - 1 : 0));
    int total = index;
    for (int c = 0; widths && c < frame->column_count && total <= width; c++)
        total += GAP + widths[c];
    int count = -1;
    if (widths && total <= width) {
        count = frame->column_count;
        for (int c = 0; c < count; c++)
            chosen[c] = c;
    } else if (widths) {
        count = choose_columns(frame, widths, width - index, chosen);
    }
    free(widths);
    return count;
}

char *ursa_frame_head_text(const ursa_frame *frame, int64_t rows, int width)
{
    if (!frame)
        return NULL;
    rows = rows > 0 ? rows : DEFAULT_ROWS;
    rows = rows < frame->rows ? rows : frame->rows;
    width = width <= 0 ? DEFAULT_WIDTH : width < LEAST_WIDTH ? LEAST_WIDTH : width;
    char *text = NULL;
    size_t bytes = 0;
    int *chosen = ursa_alloc_array((size_t)frame->column_count + 1, sizeof *chosen);
    int columns = chosen ? fit_columns(frame, rows, width, chosen) : -1;
    struct table table = {.rows = rows + 1, .columns = columns + 1};
    FILE *out = columns >= 0 && fill_table(&table, frame, chosen) ? open_memstream(&text, &bytes) : NULL;
    if (out) {
        write_table(out, &table);
        write_size(out, frame, rows);
        if (fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    if (!text)
        ursa_fail(URSA_ERROR_MEMORY, "frame_head: out of memory");
    free_table(&table);
    free(chosen);
    return text;
}

bool ursa_frame_head(const ursa_frame *frame, int64_t rows)
{
    struct winsize size;
    bool terminal = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    char *text = ursa_frame_head_text(frame, rows, terminal ? size.ws_col : 0);
    bool printed = text && fputs(text, stdout) >= 0 && fflush(stdout) == 0;
    if (text && !printed)
        ursa_fail(URSA_ERROR_IO, "frame_head: standard output cannot be written");
    free(text);
    return printed;
}
