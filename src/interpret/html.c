/* html.c — the parts of a page that needs no other file. */
#include "report.h"
#include "base/memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char ursa_html_style[] =
    "body{font:15px/1.5 system-ui,'DejaVu Sans',sans-serif;color:#222;max-width:1100px;margin:2em auto;padding:0 1em}"
    "h1{font-size:1.7em;margin-bottom:.2em}h2{font-size:1.25em;margin-top:2em;border-bottom:1px solid #ddd}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{padding:.25em .9em;text-align:right;border-bottom:1px solid #eee}th{border-bottom:2px solid #bbb}"
    "td.name,th.name{text-align:left}img{max-width:100%;height:auto;display:block}"
    "pre{overflow-x:auto;background:#f7f7f7;padding:.8em;font-size:12.5px;line-height:1.35}"
    ".side{display:flex;flex-wrap:wrap;gap:1em}.side>*{flex:1 1 420px;min-width:0}.pale{color:#777}";

void ursa_html_escape(struct ursa_text *page, const char *text)
{
    for (const char *c = text; *c; c++)
        switch (*c) {
        case '<':
            ursa_text_add(page, "&lt;");
            break;
        case '>':
            ursa_text_add(page, "&gt;");
            break;
        case '&':
            ursa_text_add(page, "&amp;");
            break;
        case '"':
            ursa_text_add(page, "&quot;");
            break;
        default:
            ursa_text_add(page, "%c", *c);
        }
}

static uint8_t *read_file(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t room = 0, got = 0;
    do {
        uint8_t *grown = file && got == room ? ursa_grow(data, room = 2 * room + 65536) : data;
        if (!grown)
            break;
        data = grown;
        got += fread(data + got, 1, room - got, file);
    } while (!feof(file) && !ferror(file));
    if (!file || ferror(file))
        ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    bool whole = file && feof(file);
    if (file)
        fclose(file);
    *bytes = got;
    if (whole)
        return data;
    free(data);
    return NULL;
}

/* RFC 4648. */
static void add_base64(struct ursa_text *page, const uint8_t *data, size_t bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char line[4 * 64 + 1];
    size_t used = 0;
    for (size_t i = 0; i < bytes; i += 3) {
        size_t left = bytes - i;
        uint32_t three = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                         (left > 2 ? (uint32_t)data[i + 2] : 0);
        line[used++] = digits[three >> 18];
        line[used++] = digits[three >> 12 & 63];
        line[used++] = left > 1 ? digits[three >> 6 & 63] : '=';
        line[used++] = left > 2 ? digits[three & 63] : '=';
        if (used == sizeof line - 1 || left <= 3) {
            line[used] = '\0';
            ursa_text_add(page, "%s", line);
            used = 0;
        }
    }
}

bool ursa_html_image(struct ursa_text *page, const char *path, const char *description)
{
    size_t bytes = 0;
    uint8_t *data = read_file(path, &bytes);
    if (!data)
        return false;
    size_t length = strlen(path);
    bool svg = length > 4 && strcmp(path + length - 4, ".svg") == 0;
    ursa_text_add(page, "<img alt=\"");
    ursa_html_escape(page, description);
    ursa_text_add(page, "\" src=\"data:image/%s;base64,", svg ? "svg+xml" : "png");
    add_base64(page, data, bytes);
    ursa_text_add(page, "\">\n");
    free(data);
    return true;
}
