/* progress_view.c — the text of progress bars and lines. */
#include "progress.h"

#include <stdio.h>
#include <string.h>

#define BAR_MAX 40
#define BAR_MIN 8

static void format_time(char *text, size_t bytes, double seconds)
{
    int64_t s = seconds < 0 ? 0 : (int64_t)(seconds + 0.5);
    if (s < 3600)
        snprintf(text, bytes, "%d:%02d", (int)(s / 60), (int)(s % 60));
    else
        snprintf(text, bytes, "%lld:%02d:%02d", (long long)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
}

/* "0:12, 0:14 left  loss 0.41" */
static void format_tail(char *text, size_t bytes, const ursa_progress_view *view)
{
    char elapsed[32], left[32];
    format_time(elapsed, sizeof elapsed, view->elapsed);
    format_time(left, sizeof left, view->left);
    snprintf(text, bytes, "%s%s%s%s%s%s", elapsed, view->left < 0 ? "" : ", ", view->left < 0 ? "" : left,
             view->left < 0 ? "" : " left", view->note[0] ? "  " : "", view->note);
}

static double fraction(const ursa_progress_view *view)
{
    double part = (double)view->done / (double)view->total;
    return part < 0 ? 0 : part > 1 ? 1 : part;
}

/* "training  45%", or "reading 1234" where the total is not known */
static void format_head(char *text, size_t bytes, const ursa_progress_view *view)
{
    if (view->total > 0)
        snprintf(text, bytes, "%s %3d%%", view->label, (int)(100 * fraction(view)));
    else
        snprintf(text, bytes, "%s %lld", view->label, (long long)view->done);
}

static bool continues_character(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80; /* UTF-8 */
}

static int characters(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += !continues_character(*text);
    return count;
}

static void truncate_to(char *text, int columns)
{
    int count = 0;
    for (; *text; text++) {
        if (!continues_character(*text) && count++ >= columns) {
            *text = 0;
            return;
        }
    }
}

static void draw_bar(char *bar, int width, double part)
{
    int full = (int)(part * width);
    bar[0] = '[';
    memset(bar + 1, '=', (size_t)full);
    memset(bar + 1 + full, ' ', (size_t)(width - full));
    if (full > 0 && full < width)
        bar[full] = '>';
    strcpy(bar + 1 + width, "] ");
}

void ursa_progress_bar(char *line, size_t bytes, const ursa_progress_view *view, int columns)
{
    char head[160], tail[256], bar[BAR_MAX + 4] = "";
    format_head(head, sizeof head, view);
    format_tail(tail, sizeof tail, view);
    int room = columns - characters(head) - characters(tail) - 4; /* a space, the brackets, a space */
    if (view->total > 0 && room >= BAR_MIN)
        draw_bar(bar, room < BAR_MAX ? room : BAR_MAX, fraction(view));
    snprintf(line, bytes, "%s %s%s", head, bar, tail);
    truncate_to(line, columns);
}

void ursa_progress_line(char *line, size_t bytes, const ursa_progress_view *view)
{
    char head[160], tail[256];
    format_head(head, sizeof head, view);
    format_tail(tail, sizeof tail, view);
    if (view->total > 0)
        snprintf(line, bytes, "%s (%lld of %lld), %s", head, (long long)view->done, (long long)view->total, tail);
    else
        snprintf(line, bytes, "%s, %s", head, tail);
}
