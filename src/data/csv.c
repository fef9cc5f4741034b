/* csv.c — cutting CSV (RFC 4180) into fields. */
#include "csv.h"

#include <string.h>

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Over one LF, CRLF or CR. */
static void skip_line_end(ursa_csv_cutter *cutter)
{
    cutter->at += cutter->end - cutter->at >= 2 && cutter->at[0] == '\r' && cutter->at[1] == '\n' ? 2 : 1;
    cutter->line++;
}

void ursa_csv_begin_row(ursa_csv_cutter *cutter)
{
    while (cutter->at < cutter->end && is_line_end(*cutter->at))
        skip_line_end(cutter);
    cutter->row_line = cutter->line;
    cutter->field = 0;
}

static ursa_csv_what mistake(const ursa_csv_cutter *cutter, const char *problem)
{
    ursa_fail(URSA_ERROR_FORMAT, "%s: row %lld (line %lld), column %lld: %s", cutter->name, (long long)cutter->row,
              (long long)cutter->row_line, (long long)cutter->field, problem);
    return URSA_CSV_MISTAKEN;
}

/* At the first character behind a field: ends the field there, written up to `to`. */
static ursa_csv_what end_field(ursa_csv_cutter *cutter, char *to)
{
    if (cutter->at < cutter->end && *cutter->at == cutter->delimiter) {
        cutter->at++;
        *to = 0;
        return URSA_CSV_FIELD;
    }
    if (cutter->at < cutter->end)
        skip_line_end(cutter);
    *to = 0;
    return URSA_CSV_LAST;
}

static ursa_csv_what cut_plain(ursa_csv_cutter *cutter)
{
    while (cutter->at < cutter->end && *cutter->at != cutter->delimiter && !is_line_end(*cutter->at))
        cutter->at++;
    return end_field(cutter, cutter->at);
}

/* Behind the opening quote. */
static ursa_csv_what cut_quoted(ursa_csv_cutter *cutter)
{
    char *to = cutter->at;
    while (cutter->at < cutter->end) {
        char c = *cutter->at++;
        if (c == '"' && (cutter->at == cutter->end || *cutter->at != '"')) {
            if (cutter->at < cutter->end && *cutter->at != cutter->delimiter && !is_line_end(*cutter->at))
                return mistake(cutter, "a quoted field goes on behind its closing quote; a quote within one is "
                                       "written twice");
            return end_field(cutter, to);
        }
        cutter->at += c == '"';
        cutter->line += c == '\n' || (c == '\r' && (cutter->at == cutter->end || *cutter->at != '\n'));
        *to++ = c;
    }
    return mistake(cutter, "a quote is opened here and never closed");
}

ursa_csv_what ursa_csv_cut(ursa_csv_cutter *cutter, char **field)
{
    bool first = cutter->field++ == 0;
    if (first && cutter->at == cutter->end)
        return URSA_CSV_NOTHING;
    bool quoted = cutter->at < cutter->end && *cutter->at == '"';
    cutter->at += quoted;
    *field = cutter->at;
    return quoted ? cut_quoted(cutter) : cut_plain(cutter);
}

/* ---- sniffing --------------------------------------------------------------------- */

/* How many delimiters each of the first rows has; -1 when they differ, or there is none. */
static int delimiters_per_row(const char *text, size_t bytes, char delimiter)
{
    enum { ROWS = 20 };
    int rows = 0, found = 0, first = -1;
    bool quoted = false, empty = true;
    for (size_t i = 0; i < bytes && rows < ROWS; i++) {
        quoted ^= text[i] == '"';
        found += !quoted && text[i] == delimiter;
        if (quoted || !is_line_end(text[i])) {
            empty = false;
            continue;
        }
        if (empty)
            continue;
        if (first >= 0 && found != first)
            return -1;
        first = found;
        found = 0;
        empty = true;
        rows++;
    }
    if (!empty && rows < ROWS && first < 0)
        first = found; /* the only row, without a line end */
    return first > 0 ? first : -1;
}

char ursa_csv_sniff(const char *text, size_t bytes)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    int most = 0;
    char best = ',';
    for (size_t i = 0; i < sizeof candidates; i++) {
        int found = delimiters_per_row(text, bytes, candidates[i]);
        if (found > most) {
            most = found;
            best = candidates[i];
        }
    }
    return best;
}
